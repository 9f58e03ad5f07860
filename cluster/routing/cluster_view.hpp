#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cluster/authority/authority.hpp"
#include "cluster/authority/membership.hpp"
#include "cluster/routing/shard_map.hpp"
#include "cluster/transport/transport.hpp"

namespace troupe {

struct cluster_view_options {
  std::chrono::milliseconds interval{1000};    // between looks that nothing gave cause for
  std::chrono::milliseconds interval_min{50};  // between any two
  std::chrono::milliseconds patience{3500};    // for the authority's answers
};

/// Keeps a shard map and the list of nodes as new as the authority: looks when it is told that something may
/// have changed, when somebody here asks, and now and then. While the authority is away what was known stays.
class cluster_view {
 public:
  /// Called on the view's thread after each look.
  struct look {
    bool is_complete = false;  // the authority answered both questions
    bool has_moved = false;    // a shard has another primary
    std::vector<known_node> nodes;
  };
  using look_handler = std::function<void(const look&)>;

  cluster_view(authority& decides, membership& members, shard_map& map, look_handler done,
               cluster_view_options options = {});
  ~cluster_view();
  cluster_view(const cluster_view&) = delete;
  cluster_view& operator=(const cluster_view&) = delete;

  void start();
  /// Look soon. Any thread; never blocks.
  void refresh();
  /// Whether the authority has answered lately.
  bool is_current() const;

 private:
  struct answers;
  void run();
  look look_once();

  authority& decides_;
  membership& members_;
  shard_map& map_;
  const look_handler done_;
  const cluster_view_options options_;
  mutable std::mutex mutex_;
  std::condition_variable woken_;
  bool is_wanted_ = false;                           // guarded by mutex_
  bool is_stopping_ = false;                         // guarded by mutex_
  std::chrono::steady_clock::time_point looked_at_;  // guarded by mutex_; with success
  std::thread thread_;
};

/// Where nodes can be reached. An address is told on a lease, which is a hint: one that has lapsed says that
/// the node does not reach the authority, not that nobody reaches the node. So whoever has copies, or is the
/// primary, keeps the last address that was known. One thread.
class address_book {
 public:
  std::vector<node_address> learn(const std::vector<known_node>& nodes,
                                  const std::vector<stored_config>& shards);

 private:
  std::map<node_id, node_address> known_;
};

}  // namespace troupe
