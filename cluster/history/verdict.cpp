#include "cluster/history/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/entity/json_write.hpp"

namespace troupe::history {
namespace {

constexpr std::size_t sentences_max = 3;

struct check_record {
  std::string name{};
  std::uint64_t examined = 0;
  std::uint64_t violations = 0;
  std::vector<std::string> sentences{};
  std::string skipped{};
};
TROUPE_DESCRIBE(check_record, name, examined, violations, sentences, skipped)

struct verdict_record {
  bool holds = false;
  std::uint64_t operations = 0;
  std::uint64_t unknown = 0;
  std::uint64_t clients = 0;
  std::uint64_t entries = 0;
  std::uint64_t replicas = 0;
  std::vector<check_record> checks{};
};
TROUPE_DESCRIBE(verdict_record, holds, operations, unknown, clients, entries, replicas, checks)

std::string grouped(std::uint64_t number) {
  auto digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

std::string painted(bool colour, const char* code, const std::string& text) {
  return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string result_of(const check_result& c, bool colour) {
  if (!c.skipped.empty()) return painted(colour, "33", "not checked: " + c.skipped);
  if (c.violations == 0) return painted(colour, "32", "holds");
  return painted(colour, "31", grouped(c.violations) + (c.violations == 1 ? " violation" : " violations"));
}

}  // namespace

void check_result::violated(std::string sentence) {
  ++violations;
  if (sentences.size() < sentences_max) sentences.push_back(std::move(sentence));
}

bool verdict::holds() const {
  return std::all_of(checks.begin(), checks.end(), [](const check_result& c) { return c.violations == 0; });
}

std::string to_text(const verdict& v, bool colour) {
  auto out = fmt::format(
      "{} operations of {} clients ({} with unknown outcome), {} committed entries, {} replicas\n\n",
      grouped(v.operations), grouped(v.clients), grouped(v.unknown), grouped(v.entries), grouped(v.replicas));
  std::size_t widest = 0;
  for (const auto& c : v.checks) widest = std::max(widest, c.means.size());
  for (const auto& c : v.checks)
    out += fmt::format("  {:<10}{:>12}  {:<{}}  {}\n", c.name, c.skipped.empty() ? grouped(c.examined) : "-",
                       c.means, widest, result_of(c, colour));
  for (const auto& c : v.checks) {
    if (c.violations == 0) continue;
    out += fmt::format("\n{}\n", painted(colour, "1", c.name));
    for (const auto& sentence : c.sentences) out += "  " + sentence + "\n";
    if (c.violations > c.sentences.size())
      out += fmt::format("  and {} more\n", grouped(c.violations - c.sentences.size()));
  }
  out += "\n" +
         (v.holds() ? painted(colour, "32", "The history is legal.")
                    : painted(colour, "31", "The history is not legal.")) +
         "\n";
  return out;
}

std::string to_json(const verdict& v) {
  verdict_record r{.holds = v.holds(),
                   .operations = v.operations,
                   .unknown = v.unknown,
                   .clients = v.clients,
                   .entries = v.entries,
                   .replicas = v.replicas};
  for (const auto& c : v.checks)
    r.checks.push_back({c.name, c.examined, c.violations, c.sentences, c.skipped});
  std::string out;
  write_json(out, r);
  return out;
}

}  // namespace troupe::history
