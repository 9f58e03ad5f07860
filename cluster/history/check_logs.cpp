#include <algorithm>

#include "cluster/history/checks.hpp"

namespace troupe::history {
namespace {

std::string name_of(const replica_dump& r) {
  return "the log of shard " + std::to_string(r.shard) + " on node " + std::to_string(r.node);
}

/// Index 1 first, then each index once, epochs never falling, and all that is committed is there.
bool is_whole(const replica_dump& r, check_result& out) {
  std::uint64_t index = 0;
  std::uint64_t epoch = 0;
  for (const auto& entry : r.entries) {
    ++out.examined;
    if (entry.at.index != index + 1) {
      out.violated(name_of(r) + " goes from index " + std::to_string(index) + " to " +
                   std::to_string(entry.at.index) + ": " + to_string(entry));
      return false;
    }
    if (entry.at.epoch < epoch) {
      out.violated(name_of(r) + " goes back from epoch " + std::to_string(epoch) + ": " + to_string(entry));
      return false;
    }
    index = entry.at.index;
    epoch = entry.at.epoch;
  }
  if (index >= r.commit) return true;
  out.violated(name_of(r) + " ends at index " + std::to_string(index) + " and is committed up to " +
               std::to_string(r.commit));
  return false;
}

/// As far as both are committed.
void compare(const replica_dump& a, const replica_dump& b, check_result& out) {
  const auto shared = static_cast<std::ptrdiff_t>(std::min(a.commit, b.commit));
  const auto differs = std::mismatch(a.entries.begin(), a.entries.begin() + shared, b.entries.begin()).first;
  if (differs == a.entries.begin() + shared) return;
  const auto& other = b.entries[static_cast<std::size_t>(differs - a.entries.begin())];
  out.violated(name_of(a) + " and " + name_of(b) +
               " have different committed entries: " + to_string(*differs) + ", and " + to_string(other));
}

}  // namespace

check_result check_logs(const recorded_history& history, committed_logs& out) {
  check_result result{.name = "logs", .means = "each log is whole, and the committed parts are the same"};
  std::vector<const replica_dump*> whole;
  for (const auto& r : history.replicas)
    if (is_whole(r, result)) whole.push_back(&r);
  for (const auto* r : whole) {
    auto& log = out[r->shard];
    if (log.from == nullptr || r->commit > log.commit) log = {r, r->commit};
  }
  for (const auto* r : whole)
    if (out[r->shard].from != r) compare(*out[r->shard].from, *r, result);
  return result;
}

}  // namespace troupe::history
