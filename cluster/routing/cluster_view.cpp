#include "cluster/routing/cluster_view.hpp"

#include <set>

#include "runtime/base/thread_name.hpp"

namespace troupe {

using std::chrono::steady_clock;

/// Of one look. The authority's threads may still hold it when the look has been given up.
struct cluster_view::answers {
  std::mutex mutex;
  std::condition_variable came;
  std::optional<read_result> configs;
  std::optional<nodes_result> nodes;
};

cluster_view::cluster_view(authority& decides, membership& members, shard_map& map, look_handler done,
                           cluster_view_options options)
    : decides_(decides), members_(members), map_(map), done_(std::move(done)), options_(options) {}

cluster_view::~cluster_view() {
  decides_.on_hint([] {});
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void cluster_view::start() {
  decides_.on_hint([this] { refresh(); });
  thread_ = std::thread{[this] { run(); }};
}

void cluster_view::refresh() {
  {
    const std::lock_guard lock{mutex_};
    is_wanted_ = true;
  }
  woken_.notify_all();
}

bool cluster_view::is_current() const {
  const std::lock_guard lock{mutex_};
  return looked_at_ != steady_clock::time_point{} &&
         steady_clock::now() - looked_at_ < 3 * options_.interval + options_.patience;
}

cluster_view::look cluster_view::look_once() {
  const auto got = std::make_shared<answers>();
  decides_.read_all([got](read_result result) {
    const std::lock_guard lock{got->mutex};
    got->configs = std::move(result);
    got->came.notify_all();
  });
  members_.read_nodes([got](nodes_result result) {
    const std::lock_guard lock{got->mutex};
    got->nodes = std::move(result);
    got->came.notify_all();
  });
  look out;
  std::unique_lock lock{got->mutex};
  got->came.wait_for(lock, options_.patience, [&] { return got->configs && got->nodes; });
  out.is_complete = got->configs && got->configs->ok && got->nodes && got->nodes->ok;
  if (got->configs && got->configs->ok)
    for (const auto& one : got->configs->configs) out.has_moved = map_.learn(one) || out.has_moved;
  if (got->nodes && got->nodes->ok) out.nodes = std::move(got->nodes->nodes);
  return out;
}

std::vector<node_address> address_book::learn(const std::vector<known_node>& nodes,
                                              const std::vector<stored_config>& shards) {
  std::set<node_id> needed;
  for (const auto& s : shards) {
    needed.insert(s.config.replicas.begin(), s.config.replicas.end());
    for (const auto& m : s.config.in_sync) needed.insert(m.node);
  }
  for (const auto& one : nodes) {
    const auto node = one.latest.node;
    if (one.is_present()) {
      known_[node] = {node, one.address, one.latest.run};
    } else if (!needed.contains(node)) {
      known_.erase(node);
    }
  }
  std::vector<node_address> out;
  for (const auto& [node, where] : known_) out.push_back(where);
  return out;
}

void cluster_view::run() {
  name_thread("troupe-view");
  for (std::unique_lock lock{mutex_}; !is_stopping_;) {
    is_wanted_ = false;
    lock.unlock();
    const auto found = look_once();
    done_(found);
    lock.lock();
    if (found.is_complete) looked_at_ = steady_clock::now();
    const auto earliest = steady_clock::now() + options_.interval_min;
    woken_.wait_for(lock, options_.interval, [this] { return is_wanted_ || is_stopping_; });
    woken_.wait_until(lock, earliest, [this] { return is_stopping_; });
  }
}

}  // namespace troupe
