#pragma once

#include <condition_variable>
#include <mutex>

#include "runtime/host/node.hpp"

namespace troupe::crash {

/// A command port for a plain thread: submit, then wait() until replies have come.
class blocking_client {
 public:
  explicit blocking_client(node& to) {
    port_ = to.make_port([this] {
      const std::lock_guard lock{mutex_};
      woken_ = true;
      wake_.notify_one();
    });
  }
  void submit(command&& what, reply_handler on_reply) { port_->submit(std::move(what), std::move(on_reply)); }
  /// False when nothing came within ten seconds.
  bool wait() {
    port_->flush();
    {
      std::unique_lock lock{mutex_};
      if (!wake_.wait_for(lock, std::chrono::seconds{10}, [this] { return woken_; })) return false;
      woken_ = false;
    }
    port_->drain();
    return true;
  }
  reply ask(command what) {
    std::optional<reply> got;
    what.deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    submit(std::move(what), [&](reply&& r) { got = std::move(r); });
    while (!got && wait()) {
    }
    return got.value_or(reply{});
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
  std::unique_ptr<command_port> port_;
};

}  // namespace troupe::crash
