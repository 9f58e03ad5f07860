#include <algorithm>
#include <thread>

#include "cluster/node/cluster_node.hpp"

/// How a node ends: what it is the primary of is handed over, and nobody waits for it any more.
namespace troupe {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds leave_patience{3000};
/// At the floor, for another copy that comes near: a swap takes some 0.2 s then.
constexpr milliseconds swap_patience{1000};
/// For each so many one more is under way at once, so that hundreds take a few seconds too.
constexpr std::size_t shards_per_hand_over = 64;
constexpr milliseconds hand_over_patience{500};  // then another shard's turn has come
/// When no hand-over has succeeded for so long nobody takes anything: those that are connected are stopping
/// too. Longer than a hand-over that fails takes, and the election that ends it.
constexpr milliseconds stall_patience{3000};
/// The same while no other node is connected.
constexpr milliseconds alone_patience{500};
constexpr milliseconds stop_poll{5};

}  // namespace

cluster_node::stopped cluster_node::stop(milliseconds deadline) {
  if (std::exchange(is_stopped_, true)) return {};
  const auto until = steady_clock::now() + deadline;
  stopped out;
  if (!is_superseded_) {
    hand_over_all(until - deadline / 4);
    leave(until);
    out.kept = kept();
  }
  {
    const std::unique_lock lock{gate_};
    state_ = gate_state::closed;
  }
  view_.reset();
  desk_.reset();
  // What it has of a snapshot is of the store.
  background_->stop();
  log_reader_->stop();
  out.is_quiet = node_->stop(
      std::max(milliseconds{1}, std::chrono::duration_cast<milliseconds>(until - steady_clock::now())));
  authority_.reset();
  node_.reset();
  transport_.reset();
  reader_.reset();
  return out;
}

/// By the authority: its replicas hear of that a little later.
std::size_t cluster_node::kept() const {
  const auto all = map_->all();
  return static_cast<std::size_t>(std::count_if(
      all.begin(), all.end(), [this](const auto& one) { return one.config.primary.node == self_.node; }));
}

/// What it is the primary of and another node has a full copy of.
std::vector<shard_id> cluster_node::to_hand_over() const {
  std::vector<shard_id> out;
  for (const auto& one : map_->all()) {
    const auto& members = one.config.in_sync;
    const auto is_other = [this](const member& m) { return m.node != self_.node; };
    if (one.config.primary.node == self_.node && std::any_of(members.begin(), members.end(), is_other))
      out.push_back(one.shard);
  }
  return out;
}

/// One after the other, unless there are many: a shard serves nobody from here on until another node has
/// written its epoch and the first entry of that, and several wait for each other's fsyncs. Ends when there
/// is nothing left that somebody would take.
void cluster_node::hand_over_all(steady_clock::time_point until) {
  std::vector<std::optional<steady_clock::time_point>> begun(hosted_.size());
  std::size_t left_least = hosted_.size();
  auto moved_at = steady_clock::now();
  for (auto now = moved_at; now < until; now = steady_clock::now()) {
    const auto left = to_hand_over();
    if (left.size() < left_least) moved_at = now;
    left_least = std::min(left_least, left.size());
    const auto patience = transport_->figures().links_open > 0 ? stall_patience : alone_patience;
    if (left.empty() || now - moved_at >= patience) return;
    auto free = 1 + static_cast<std::ptrdiff_t>(left.size() / shards_per_hand_over);
    free -= std::count_if(left.begin(), left.end(), [&](shard_id s) {
      return begun[s] && now - *begun[s] < hand_over_patience && hosted_[s].replica->progress().is_serving;
    });
    for (const auto shard : left) {
      // Who does not serve keeps nobody waiting.
      const bool serves = hosted_[shard].replica->progress().is_serving;
      if (begun[shard] || (serves && free-- <= 0)) continue;
      begun[shard] = now;
      in_replica(shard, [](replica_host& r) { r.resign(); });
    }
    std::this_thread::sleep_for(stop_poll);
  }
}

/// It acknowledges until nobody waits for it any more; at the floor somebody does until another copy is taken
/// in its place, which may never happen.
void cluster_node::leave(steady_clock::time_point until) {
  for (shard_id shard = 0; shard < hosted_.size(); ++shard)
    in_replica(shard, [](replica_host& r) { r.resign(); });
  const auto began = steady_clock::now();
  until = std::min(until, began + leave_patience);
  for (auto now = began; now < until && is_waited_for(now - began < swap_patience); now = steady_clock::now())
    std::this_thread::sleep_for(stop_poll);
}

bool cluster_node::is_waited_for(bool at_floor_too) const {
  const auto all = map_->all();
  return std::any_of(all.begin(), all.end(), [&](const stored_config& one) {
    const auto& now = one.config;
    const auto& members = now.in_sync;
    if (std::find(members.begin(), members.end(), self_) == members.end()) return false;
    return members.size() > now.min_in_sync || (at_floor_too && has_replacement(now));
  });
}

/// Another node has a copy that is not in sync, and is there.
bool cluster_node::has_replacement(const shard_config& now) const {
  return std::any_of(now.replicas.begin(), now.replicas.end(), [&](node_id node) {
    const auto is_it = [node](const member& m) { return m.node == node; };
    return std::none_of(now.in_sync.begin(), now.in_sync.end(), is_it) && transport_->reaches(node);
  });
}

}  // namespace troupe
