#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "cluster/routing/shard_map.hpp"
#include "cluster/transport/transport.hpp"
#include "runtime/host/command.hpp"

namespace troupe {

struct router_options {
  std::size_t pending_max = 65'536;          // of one port
  std::chrono::milliseconds grace{1000};     // after its deadline a command is answered `unknown`
  std::chrono::milliseconds retry_after{5};  // nobody took it: the first pause, which then doubles
  std::chrono::milliseconds retry_after_max{200};
};

struct router_figures {
  std::uint64_t sent = 0, retried = 0, gave_up = 0;
};

class routed_port;

/// The way from this process's I/O loops to shards on other nodes. A command goes to the node that the shard
/// map names; where that has lost the role, is gone or does not answer for it any more, it goes again, under
/// the same command id, until its deadline: so a repetition finds what the first one did. A command without
/// an id gets one here. Only the latest attempt is listened to; that it found a queue full, or came too late,
/// is told only when no earlier one may have run.
class router {
 public:
  /// `send` puts a command on its way to a node, false when it cannot; `refresh` asks for a newer map. Both
  /// are called on the loops' threads and must not block.
  struct ways {
    std::function<bool(node_id, std::string_view)> send;
    std::function<void()> refresh;
  };
  router(const shard_map& map, ways to, router_options options = {});
  /// After all its ports.
  ~router();
  router(const router&) = delete;
  router& operator=(const router&) = delete;

  std::unique_ptr<command_port> make_port(std::function<void()> wake);

  // From the transport, on any thread.
  void on_reply(wire::shard_reply&& what);
  void on_lost(node_id node);
  /// Some shard has another primary.
  void on_moved();

  router_figures figures() const;

 private:
  friend class routed_port;
  void run();
  void expect_ticks();
  void forget(const routed_port* port);

  const shard_map& map_;
  const ways to_;
  const router_options options_;
  mutable std::mutex mutex_;
  std::condition_variable woken_;
  std::vector<routed_port*> ports_;  // guarded by mutex_; by number, null: gone
  bool ticks_are_wanted_ = false;    // guarded by mutex_
  bool is_stopping_ = false;         // guarded by mutex_
  std::atomic<std::uint64_t> sent_{0}, retried_{0}, gave_up_{0};
  std::thread ticker_;
};

}  // namespace troupe
