#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "cluster/authority/etcd/checked_store.hpp"
#include "cluster/authority/etcd/key_space.hpp"

namespace troupe::etcd {

/// All that is only a hint: tells when something may have changed, and keeps this node's address alive. One
/// thread looks at everything at an interval, the other one sits in a watch and makes it look sooner; what
/// the watch says is not read. Without either nothing breaks, it only gets slower.
class hint_loop {
 public:
  struct settings {
    std::chrono::milliseconds interval{2000};
    std::chrono::milliseconds patience{3000};
    std::chrono::milliseconds address_lifetime{10'000};
  };

  hint_loop(endpoint_list& endpoints, checked_store& store, const key_space& keys, settings how);
  ~hint_loop();
  hint_loop(const hint_loop&) = delete;
  hint_loop& operator=(const hint_loop&) = delete;

  void on_hint(std::function<void()> changed);
  /// From now on this is announced under the node's name, until the end.
  void announce(const std::string& node_name, const std::string& record);
  /// Nothing is called back any more when it returns. Not from a callback.
  void stop();

 private:
  using clock = std::chrono::steady_clock;

  void look_around();
  void watch();
  /// Calls back when the keys or their revisions differ from the last look.
  void look();
  void keep_address();
  void put_address(asking& who, const std::string& key, const std::string& record);
  /// False: the end.
  bool pause(std::chrono::milliseconds at_most);

  const settings settings_;
  checked_store& store_;
  const key_space& keys_;
  gateway_link poll_link_;
  gateway_link watch_link_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool is_stopping_ = false;
  bool has_changed_ = false;  // says the watch
  // Held while it is called: when on_hint() returns, what was there before is called no more.
  std::mutex handler_mutex_;
  std::function<void()> changed_;  // guarded by handler_mutex_
  std::string address_key_;
  std::string address_record_;
  // The polling thread's own:
  std::uint64_t last_seen_ = 0;
  std::uint64_t lease_ = 0;
  clock::time_point address_due_{};
  std::thread poller_;
  std::thread watcher_;
};

}  // namespace troupe::etcd
