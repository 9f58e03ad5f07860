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
  /// `answer` sends a reply to a front; it must not block.
  using answer_sender = std::function<void(const member& front, std::string_view reply)>;
  static constexpr std::size_t waiting_max = 65'536;

  desk(node& runtime, answer_sender answer);
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

  const answer_sender answer_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::vector<arrival> arrived_;  // guarded by mutex_
  bool has_replies_ = false;      // guarded by mutex_
  bool is_stopping_ = false;      // guarded by mutex_
  std::string buffer_;            // the thread's own
  std::unique_ptr<command_port> port_;
  std::thread thread_;
};

}  // namespace troupe
