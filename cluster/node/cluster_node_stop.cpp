#include <algorithm>
#include <thread>

#include "cluster/node/cluster_node.hpp"

/// How a node ends: what it is the primary of is handed over, and nobody waits for it any more.
namespace troupe {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds leave_patience{3000};
constexpr std::size_t hand_overs_max = 2;
constexpr milliseconds hand_over_patience{500};  // then another shard's turn has come
constexpr milliseconds stop_poll{5};

}  // namespace

bool cluster_node::stop(milliseconds deadline) {
  if (std::exchange(is_stopped_, true)) return true;
  const auto until = steady_clock::now() + deadline;
  hand_over_all(until);
  leave(until);
  const bool handed_over = primaries() == 0;
  {
    const std::unique_lock lock{gate_};
    is_open_ = false;
  }
  view_.reset();
  desk_.reset();
  // What it has of a snapshot is of the store.
  background_->stop();
  const bool quiet = node_->stop(
      std::max(milliseconds{1}, std::chrono::duration_cast<milliseconds>(until - steady_clock::now())));
  authority_.reset();
  node_.reset();
  transport_.reset();
  reader_.reset();
  return handed_over && quiet;
}

/// A few at a time: a shard serves nobody from here on until another node has written its epoch and the first
/// entry of that, and all at once would wait for each other's fsyncs.
void cluster_node::hand_over_all(steady_clock::time_point until) {
  std::vector<std::optional<steady_clock::time_point>> begun(hosted_.size());
  while (primaries() > 0 && steady_clock::now() < until) {
    const auto now = steady_clock::now();
    std::size_t under_way = 0;
    for (shard_id shard = 0; shard < hosted_.size(); ++shard)
      if (is_here(shard) && begun[shard] && now - *begun[shard] < hand_over_patience) ++under_way;
    for (shard_id shard = 0; shard < hosted_.size() && under_way < hand_overs_max; ++shard) {
      if (!is_here(shard) || begun[shard]) continue;
      begun[shard] = now;
      ++under_way;
      in_replica(shard, [](replica_host& r) { r.resign(); });
    }
    std::this_thread::sleep_for(stop_poll);
  }
}

/// It acknowledges until nobody waits for it any more; at the floor somebody always does.
void cluster_node::leave(steady_clock::time_point until) {
  for (shard_id shard = 0; shard < hosted_.size(); ++shard)
    in_replica(shard, [](replica_host& r) { r.resign(); });
  until = std::min(until, steady_clock::now() + leave_patience);
  while (is_waited_for() && steady_clock::now() < until) std::this_thread::sleep_for(stop_poll);
}

bool cluster_node::is_waited_for() const {
  const auto all = map_->all();
  return std::any_of(all.begin(), all.end(), [this](const stored_config& one) {
    const auto& members = one.config.in_sync;
    return members.size() > one.config.min_in_sync &&
           std::find(members.begin(), members.end(), self_) != members.end();
  });
}

}  // namespace troupe
