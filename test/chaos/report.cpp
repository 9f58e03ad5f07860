#include "test/chaos/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

namespace troupe::chaos {
namespace {

/// Nearest rank.
double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size()) + 0.9999);
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

struct by_fault {
  std::vector<double> gaps, recoveries, pauses;  // sorted
  std::uint64_t failed_probes = 0;
  std::uint64_t failed_writes = 0;
};

std::map<std::string, by_fault> gathered(const chaos_report& of) {
  std::map<std::string, by_fault> out;
  for (const auto& one : of.rounds) {
    auto& all = out[one.fault];
    all.gaps.push_back(one.gap_ms);
    all.recoveries.push_back(one.recovery_ms);
    all.pauses.insert(all.pauses.end(), one.pauses_ms.begin(), one.pauses_ms.end());
    all.failed_probes += one.failed_probes;
    all.failed_writes += one.failed_writes;
  }
  for (auto& [name, all] : out)
    for (auto* list : {&all.gaps, &all.recoveries, &all.pauses}) std::sort(list->begin(), list->end());
  return out;
}

/// How long one shard's hand-over is noticed, where there were any.
std::string pauses_text(const std::map<std::string, by_fault>& faults) {
  std::string out;
  for (const auto& [name, all] : faults)
    if (!all.pauses.empty())
      out += fmt::format(
          "{}: {} hand-overs of a SKU, no answer for p50 {:.0f}, p99 {:.0f}, at most {:.0f} ms\n", name,
          all.pauses.size(), percentile(all.pauses, 0.5), percentile(all.pauses, 0.99), all.pauses.back());
  return out.empty() ? out : "\n" + out;
}

}  // namespace

std::string to_text(const chaos_report& of) {
  const auto faults = gathered(of);
  std::size_t width = 0;
  for (const auto& [name, all] : faults) width = std::max(width, name.size());
  auto out =
      fmt::format("Seed {}, {} rounds in {:.0f} s\n\n{:<{}}{:>8}{:>22}{:>8}{:>8}{:>16}{:>15}{:>15}\n",
                  of.seed, of.rounds.size(), of.seconds, "fault", width, "rounds", "no answer, ms: p50",
                  "p99", "max", "whole after, ms", "failed probes", "failed writes");
  for (const auto& [name, all] : faults)
    out +=
        fmt::format("{:<{}}{:>8}{:>22.0f}{:>8.0f}{:>8.0f}{:>16.0f}{:>15}{:>15}\n", name, width,
                    all.gaps.size(), percentile(all.gaps, 0.5), percentile(all.gaps, 0.99), all.gaps.back(),
                    percentile(all.recoveries, 0.5), all.failed_probes, all.failed_writes);
  out += pauses_text(faults);
  out += fmt::format(
      "\nattempts {}: {} with an outcome, {} without; operations given up {}; probes {}\n"
      "tasks created {}, of which {} came due; compared with what their users were told\n"
      "logs compared {}; logs that begin with a snapshot, of which the rows were compared {}\n",
      of.attempts, of.answered, of.unknown, of.given_up, of.probes, of.tasks, of.reminders, of.logs,
      of.logs_without_beginning);
  if (!of.verdict.empty()) out += "\n" + of.verdict;
  out += of.holds() ? "\nNothing acknowledged is lost, nothing is doubled, nothing oversold.\n" : "\n";
  for (const auto& fault : of.faults) out += "VIOLATED: " + fault + "\n";
  return out;
}

std::string to_json(const chaos_report& of) {
  boost::json::array faults;
  for (const auto& [name, all] : gathered(of))
    faults.push_back({{"fault", name},
                      {"rounds", all.gaps.size()},
                      {"gapP50Ms", percentile(all.gaps, 0.5)},
                      {"gapP99Ms", percentile(all.gaps, 0.99)},
                      {"gapMaxMs", all.gaps.back()},
                      {"handOvers", all.pauses.size()},
                      {"handOverP50Ms", percentile(all.pauses, 0.5)},
                      {"handOverP99Ms", percentile(all.pauses, 0.99)},
                      {"wholeAfterP50Ms", percentile(all.recoveries, 0.5)},
                      {"failedProbes", all.failed_probes},
                      {"failedWrites", all.failed_writes}});
  boost::json::array violations;
  for (const auto& fault : of.faults) violations.emplace_back(fault);
  const boost::json::object out{{"seed", of.seed},
                                {"rounds", of.rounds.size()},
                                {"seconds", of.seconds},
                                {"faults", faults},
                                {"attempts", of.attempts},
                                {"answered", of.answered},
                                {"unknown", of.unknown},
                                {"givenUp", of.given_up},
                                {"probes", of.probes},
                                {"tasks", of.tasks},
                                {"reminders", of.reminders},
                                {"logs", of.logs},
                                {"logsWithoutBeginning", of.logs_without_beginning},
                                {"violations", violations}};
  return boost::json::serialize(out) + "\n";
}

}  // namespace troupe::chaos
