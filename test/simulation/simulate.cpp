#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "test/simulation/campaign.hpp"

namespace {

using namespace troupe::simulation;  // NOLINT: the program of that namespace

constexpr std::string_view usage = R"(Usage: simulate [OPTION]...
Runs simulated clusters, one a seed, and checks every invariant after every step. Exit status 1: one was broken.
  --seeds N      that many seeds (default 1000)
  --first S      beginning with this one (default: from the clock, printed)
  --seed S       this one alone, with its story
  --profile P    mixed, elections, power, authority, lossy, snapshots, moves, relapses or joins
                 (default: the seed chooses)
  --mutant M     with a bug switched on; stops at the first seed that finds it. Without --profile,
                 under the faults that find it soonest
  --replay LINE  a run as --shrink prints it, with its story
  --shrink       prints the smallest run found that still breaks the invariant
  --regressions FILE  replays every line of the file
  --threads N    default: one a core
  --json         the result as JSON
  --help
)";

struct arguments {
  campaign_options campaign;
  bool has_first = false;
  bool is_single = false;
  bool shrinks = false;
  bool json = false;
  std::string regressions;
};

bool parse_number(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

/// False: not understood.
bool parse_value(arguments& to, std::string_view key, std::string_view value) {
  std::uint64_t number = 0;
  auto& each = to.campaign.each;
  if (key == "--seeds") return parse_number(value, to.campaign.seeds);
  if (key == "--first") return to.has_first = parse_number(value, each.seed);
  if (key == "--seed") return to.is_single = parse_number(value, each.seed);
  if (key == "--threads" && parse_number(value, number) && number > 0) {
    to.campaign.threads = static_cast<std::size_t>(number);
    return true;
  }
  if (key == "--profile") return (each.under = profile_named(value)).has_value();
  if (key == "--mutant") {
    const auto bug = mutant_named(value);
    each.bug = bug.value_or(troupe::replication::mutant::none);
    to.campaign.stops_at_first = true;
    if (bug && !each.under) each.under = best_profile(*bug);
    return bug.has_value();
  }
  if (key == "--replay") {
    const auto run = from_line(value);
    if (run) each = *run;
    return to.is_single = run.has_value();
  }
  if (key == "--regressions") {
    to.regressions = value;
    return true;
  }
  return false;
}

bool parse(int count, char** words, arguments& to) {
  for (int i = 1; i < count; ++i) {
    const std::string_view key = words[i];
    if (key == "--shrink") {
      to.shrinks = true;
    } else if (key == "--json") {
      to.json = true;
    } else if (i + 1 >= count || !parse_value(to, key, words[++i])) {
      return false;
    }
  }
  return true;
}

void print_broken(const run_result& r) {
  fmt::print("seed {} ({}) breaks {} at {:.3f} s: {}\n", r.seed, to_string(r.under), r.broken->what,
             static_cast<double>(r.broken->at) / static_cast<double>(second), r.broken->detail);
}

void print_table(const campaign_result& all) {
  const auto row = [](std::string_view name, auto value) { fmt::print("  {:<36}{:>14}\n", name, value); };
  fmt::print("\nruns\n");
  row("seeds", all.seeds);
  row("seeds a minute", static_cast<std::uint64_t>(static_cast<double>(all.seeds) / all.seconds * 60));
  row("simulated hours", fmt::format("{:.1f}", all.simulated_hours));
  row("steps", all.happenings);
  row("writes answered", all.writes);
  row("reads and rejections answered", all.reads);
  row("seeds that recovered late", all.late.size());
  for (const auto seed : all.late) fmt::print("    {}\n", seed);
  row("seeds that broke an invariant", all.broken.size());
  fmt::print("\nfaults injected\n");
  for (std::size_t i = 0; i < all.faults.size(); ++i) row(to_string(static_cast<fault>(i)), all.faults[i]);
  fmt::print("\nwhat happened{:>37}{:>14}\n", "times", "in seeds");
  for (std::size_t i = 0; i < all.marks.size(); ++i)
    fmt::print("  {:<36}{:>12}{:>14}\n", mark_names[i], all.marks[i], all.seeds_with_mark[i]);
}

void print_json(const campaign_result& all) {
  fmt::print(
      R"({{"seeds":{},"seconds":{:.3f},"simulatedHours":{:.3f},"steps":{},"writes":{},"reads":{},"broken":[)",
      all.seeds, all.seconds, all.simulated_hours, all.happenings, all.writes, all.reads);
  for (std::size_t i = 0; i < all.broken.size(); ++i)
    fmt::print(R"({}{{"seed":{},"invariant":"{}"}})", i == 0 ? "" : ",", all.broken[i].seed,
               all.broken[i].broken->what);
  fmt::print(R"(],"faults":{{)");
  for (std::size_t i = 0; i < all.faults.size(); ++i)
    fmt::print(R"({}"{}":{})", i == 0 ? "" : ",", to_string(static_cast<fault>(i)), all.faults[i]);
  fmt::print(R"(}},"marks":{{)");
  for (std::size_t i = 0; i < all.marks.size(); ++i)
    fmt::print(R"({}"{}":{})", i == 0 ? "" : ",", mark_names[i], all.marks[i]);
  fmt::print("}}}}\n");
}

int run_single(const arguments& args) {
  auto run = args.campaign.each;
  run.trace = true;
  const auto result = run_once(run);
  fmt::print("seed {} ({}): {} steps, {} writes, {} reads, trace hash {:016x}\n", result.seed,
             to_string(result.under), result.happenings, result.writes, result.reads, result.trace_hash);
  if (!result.broken) return 0;
  print_broken(result);
  if (args.shrinks) fmt::print("{}\n", to_line(shrink(run)));
  return 1;
}

int run_regressions(const std::string& file) {
  std::ifstream in(file);
  if (!in) {
    fmt::print(stderr, "cannot read {}\n", file);
    return 2;
  }
  int unlike = 0;
  int lines = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    ++lines;
    const auto run = from_line(line);
    if (!run) {
      fmt::print(stderr, "not a run: {}\n", line);
      return 2;
    }
    const auto result = run_once(*run);
    const bool must_break = run->bug != troupe::replication::mutant::none;
    if (result.broken.has_value() == must_break) continue;
    ++unlike;
    if (result.broken) {
      print_broken(result);
    } else {
      fmt::print("does not find its bug any more: {}\n", line);
    }
  }
  fmt::print("{} regressions replayed, {} not as they should be\n", lines, unlike);
  return unlike == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  arguments args;
  args.campaign.seeds = 1000;
  args.campaign.threads = std::max(1U, std::thread::hardware_concurrency());
  if (count > 1 && std::string_view(words[1]) == "--help") {
    fmt::print("{}", usage);
    return 0;
  }
  if (!parse(count, words, args)) {
    fmt::print(stderr, "{}", usage);
    return 2;
  }
  if (!args.regressions.empty()) return run_regressions(args.regressions);
  if (args.is_single) return run_single(args);
  if (!args.has_first)
    args.campaign.each.seed =
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) / 1000;
  if (!args.json)
    fmt::print("seeds {} to {}\n", args.campaign.each.seed,
               args.campaign.each.seed + args.campaign.seeds - 1);
  std::fflush(stdout);  // a long campaign is watched through a pipe
  const auto all = run_campaign(args.campaign);
  if (args.json) {
    print_json(all);
  } else {
    for (const auto& r : all.broken) print_broken(r);
    if (args.shrinks && !all.broken.empty()) {
      auto run = args.campaign.each;
      run.seed = all.broken.front().seed;
      fmt::print("{}\n", to_line(shrink(run)));
    }
    print_table(all);
  }
  return all.broken.empty() ? 0 : 1;
}
