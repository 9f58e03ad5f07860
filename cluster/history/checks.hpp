#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <queue>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "cluster/history/operation.hpp"
#include "cluster/history/verdict.hpp"

/// The parts of check(), each of which believes only what the parts before it have shown.
namespace troupe::history {

/// A shard's committed entries: index i is at position i - 1.
struct committed_log {
  const replica_dump* from = nullptr;
  std::uint64_t commit = 0;
  const log_entry& at(std::uint64_t index) const { return from->entries[index - 1]; }
};
using committed_logs = std::map<std::uint32_t, committed_log>;

/// An operation's place in the order of its shard. A write is there once for all its attempts, from the first
/// time it was asked and not refused to the first time it was answered.
struct step {
  std::int64_t invoked_ns = 0;
  std::int64_t returned_ns = never;
  std::uint64_t index = 0;
  const operation* op = nullptr;  // of a write: an attempt that was answered ok, if there is one
  std::uint32_t shard = 0;
  bool is_write = false;
  bool is_replay = false;  // of a reply that was stored: what it says is older than the place that it names
};

/// Of the steps that have returned: those that have not been passed yet, and the greatest index of the
/// others.
class returned_steps {
 public:
  void add(const step& s) {
    if (s.returned_ns != never) open_.push(&s);
  }
  /// The step of the greatest index that had returned before that time; null: none.
  const step* latest_before(std::int64_t ns) {
    for (; !open_.empty() && open_.top()->returned_ns < ns; open_.pop())
      if (latest_ == nullptr || open_.top()->index > latest_->index) latest_ = open_.top();
    return latest_;
  }

 private:
  struct returns_later {
    bool operator()(const step* a, const step* b) const { return a->returned_ns > b->returned_ns; }
  };
  std::priority_queue<const step*, std::vector<const step*>, returns_later> open_;
  const step* latest_ = nullptr;
};

/// Sorts the steps by whose they are and when they were asked, and shows each of them with the step of the
/// greatest index, of the same, that had returned before; null: none.
template <class Whose, class Visit>
void sweep_in_time(std::vector<step>& steps, const Whose& whose, const Visit& visit) {
  std::sort(steps.begin(), steps.end(), [&](const step& a, const step& b) {
    return std::tuple{whose(a), a.invoked_ns, a.index} < std::tuple{whose(b), b.invoked_ns, b.index};
  });
  returned_steps returned;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i > 0 && whose(steps[i - 1]) != whose(steps[i])) returned = {};
    visit(steps[i], returned.latest_before(steps[i].invoked_ns));
    returned.add(steps[i]);
  }
}

using sku_table = std::unordered_map<std::uint32_t, sku_setup>;
sku_table by_sku(const recorded_history& history);

/// The operations' positions, those of one command together, in the order of their invocation.
std::vector<std::uint32_t> by_command(const std::vector<operation>& operations);

// C0, from what clients saw alone.
check_result check_counts(const recorded_history& history, const sku_table& skus);
check_result check_orders(const recorded_history& history, const sku_table& skus);
check_result check_results(const recorded_history& history, const sku_table& skus,
                           const std::vector<std::uint32_t>& order);
check_result check_sessions(const recorded_history& history, const sku_table& skus);

// C1 and C2, with the logs.
/// Each log is whole, and equal to every other one of its shard as far as both are committed. `out`: for
/// each shard the longest one.
check_result check_logs(const recorded_history& history, committed_logs& out);
/// Every command that was acknowledged is in the log once, where its reply says; nothing else is. `out`: all
/// operations that have a place.
check_result check_commands(const recorded_history& history, const sku_table& skus,
                            const std::vector<std::uint32_t>& order, const committed_logs& logs,
                            std::vector<step>& out);
/// The order by index agrees with the order in real time. Sorts the steps.
check_result check_real_time(std::vector<step>& steps);
/// Along the log every reply is the model's, and the rows that each entry wrote are the model's. The two
/// results are separate: a reply that is wrong, and rows that are wrong. Sorts the steps.
struct replay_results {
  check_result replies;
  check_result rows;
  check_result states;
};
replay_results check_replay(const recorded_history& history, const sku_table& skus,
                            const committed_logs& logs, std::vector<step>& steps);

}  // namespace troupe::history
