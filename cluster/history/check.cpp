#include "cluster/history/check.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <tuple>

#include "cluster/history/checks.hpp"

namespace troupe::history {
namespace {

const char* const no_logs = "no replica has dumped its log";

std::uint64_t clients_in(const std::vector<operation>& operations, const std::vector<std::uint32_t>& order) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto client = operations[order[i]].command.client;
    if (i == 0 || client != operations[order[i - 1]].command.client) ++count;
  }
  return count;
}

/// For a history without logs: names what is not checked.
void skip_logs(verdict& v) {
  for (const auto* name : {"logs", "commands", "real time", "replies", "rows", "states"})
    v.checks.push_back({.name = name, .skipped = no_logs});
}

void check_with_logs(const recorded_history& history, const sku_table& skus,
                     const std::vector<std::uint32_t>& order, verdict& v) {
  committed_logs logs;
  std::vector<step> steps;
  v.checks.push_back(check_logs(history, logs));
  for (const auto& [shard, log] : logs) v.entries += log.commit;
  v.checks.push_back(check_commands(history, skus, order, logs, steps));
  v.checks.push_back(check_real_time(steps));
  auto replay = check_replay(history, skus, logs, steps);
  v.checks.push_back(std::move(replay.replies));
  v.checks.push_back(std::move(replay.rows));
  v.checks.push_back(std::move(replay.states));
}

}  // namespace

sku_table by_sku(const recorded_history& history) {
  sku_table out;
  for (const auto& s : history.skus) out.emplace(s.sku, s);
  return out;
}

std::vector<std::uint32_t> by_command(const std::vector<operation>& operations) {
  struct key {
    command_id command;
    std::int64_t invoked_ns;
    std::uint32_t position;
    bool operator<(const key& other) const {
      return std::tie(command, invoked_ns, position) <
             std::tie(other.command, other.invoked_ns, other.position);
    }
  };
  std::vector<key> keys;
  keys.reserve(operations.size());
  for (std::uint32_t i = 0; i < operations.size(); ++i)
    keys.push_back({operations[i].command, operations[i].invoked_ns, i});
  if (!std::is_sorted(keys.begin(), keys.end())) std::sort(keys.begin(), keys.end());
  std::vector<std::uint32_t> out;
  out.reserve(keys.size());
  for (const auto& k : keys) out.push_back(k.position);
  return out;
}

std::optional<std::string> unfit(const recorded_history& history) {
  const auto skus = by_sku(history);
  if (history.operations.empty()) return "the history has no operations";
  if (history.operations.size() >= std::uint32_t(-1))
    return "the history has more operations than can be checked";
  if (skus.size() != history.skus.size()) return "a SKU is set up twice";
  for (const auto& op : history.operations) {
    if (!skus.contains(op.sku)) return "no such SKU is set up: " + to_string(op);
    if (op.returned_ns < op.invoked_ns) return "answered before it was asked: " + to_string(op);
  }
  std::set<std::pair<std::uint32_t, std::uint32_t>> dumped;
  for (const auto& replica : history.replicas) {
    if (!dumped.insert({replica.node, replica.shard}).second)
      return "shard " + std::to_string(replica.shard) + " of node " + std::to_string(replica.node) +
             " was dumped twice";
    for (const auto& entry : replica.entries)
      if (entry.kind != op_kind::other && !skus.contains(entry.sku))
        return "no such SKU is set up: " + to_string(entry);
  }
  return std::nullopt;
}

verdict check(const recorded_history& history) {
  const auto skus = by_sku(history);
  const auto order = by_command(history.operations);
  verdict v;
  v.operations = history.operations.size();
  v.replicas = history.replicas.size();
  v.clients = clients_in(history.operations, order);
  for (const auto& op : history.operations) v.unknown += op.outcome == outcome::unknown;
  v.checks.push_back(check_counts(history, skus));
  v.checks.push_back(check_orders(history, skus));
  v.checks.push_back(check_results(history, skus, order));
  v.checks.push_back(check_sessions(history, skus));
  if (history.replicas.empty()) {
    skip_logs(v);
  } else {
    check_with_logs(history, skus, order, v);
  }
  return v;
}

}  // namespace troupe::history
