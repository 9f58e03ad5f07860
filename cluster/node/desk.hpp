#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "cluster/authority/shard_config.hpp"
#include "cluster/transport/wire.hpp"
#include "runtime/host/node.hpp"

namespace troupe {

/// Where commands of fronts in other processes enter this node, on a thread of its own, and their replies
/// leave.
class desk {
 public:
  /// What goes back to a front; neither may block.
  struct ways {
    std::function<void(const member& front, std::string_view reply)> answer;
    /// Says who the primary of that shard is: it has asked the wrong node.
    std::function<void(const member& front, shard_id shard)> redirect;
  };
  static constexpr std::size_t waiting_max = 65'536;
  static constexpr std::size_t waiting_bytes_max = 64U << 20U;

  desk(node& runtime, ways back);
  /// What it has handed over is not answered any more.
  ~desk();
  desk(const desk&) = delete;
  desk& operator=(const desk&) = delete;

  /// Any thread. What comes beyond the bound is answered `overloaded`.
  void take(const member& front, wire::shard_command&& what);

 private:
  struct arrival {
    member front;
    wire::shard_command what;
  };
  void run();
  void answer(const member& front, std::uint64_t ticket, reply&& what);

  const ways back_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::vector<arrival> arrived_;   // guarded by mutex_
  std::size_t arrived_bytes_ = 0;  // of their bodies; guarded by mutex_
  bool has_replies_ = false;       // guarded by mutex_
  bool is_stopping_ = false;       // guarded by mutex_
  std::string buffer_;             // the thread's own
  std::unique_ptr<command_port> port_;
  std::thread thread_;
};

}  // namespace troupe
