#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "runtime/host/command.hpp"

namespace troupe::http::test {

/// What a test decides about one command: its reply, or that it stays unanswered until released.
struct verdict {
  bool is_held = false;
  reply what{reply_status::ok, {}, 1, false};
};

/// What the fake runtime was asked and what it says. Shared by the ports of all loops.
struct fake_runtime {
  std::function<verdict(const command&)> decide;

  std::mutex mutex;
  std::condition_variable came;
  std::vector<command> seen;
  std::size_t flushes = 0;
  std::vector<std::function<void()>> held;

  /// Answers every held command with ok, from the caller's thread, as a runtime would.
  void release() {
    std::vector<std::function<void()>> now;
    {
      const std::lock_guard lock{mutex};
      now.swap(held);
    }
    for (auto& one : now) one();
  }
  command last() {
    const std::lock_guard lock{mutex};
    return seen.empty() ? command{} : seen.back();
  }
  /// False when that many commands have not come in five seconds.
  bool await_commands(std::size_t count) {
    std::unique_lock lock{mutex};
    return came.wait_for(lock, std::chrono::seconds{5}, [&] { return seen.size() >= count; });
  }
  bool await_flush() {
    std::unique_lock lock{mutex};
    return came.wait_for(lock, std::chrono::seconds{5}, [&] { return flushes > 0; });
  }
  std::size_t seen_count() {
    const std::lock_guard lock{mutex};
    return seen.size();
  }
};

/// A command_port without a runtime: submitted commands are decided at flush() and answered in drain().
class fake_port final : public command_port {
 public:
  fake_port(fake_runtime& runtime, std::function<void()> wake) : runtime_(runtime), wake_(std::move(wake)) {}

  void submit(command&& what, reply_handler on_reply) override {
    gathered_.emplace_back(std::move(what), std::move(on_reply));
    ++pending_;
  }
  void flush() override {
    {
      const std::lock_guard lock{runtime_.mutex};
      ++runtime_.flushes;
      runtime_.came.notify_all();
    }
    auto now = std::exchange(gathered_, {});
    for (auto& [what, on_reply] : now) {
      auto said = runtime_.decide(what);
      const std::lock_guard lock{runtime_.mutex};
      runtime_.seen.push_back(std::move(what));
      runtime_.came.notify_all();
      if (said.is_held) {
        runtime_.held.push_back(
            [this, on_reply = std::move(on_reply), what = std::move(said.what)]() mutable {
              answer(std::move(on_reply), std::move(what));
            });
      } else {
        answer(std::move(on_reply), std::move(said.what));
      }
    }
  }
  void drain() override {
    std::vector<std::pair<reply_handler, reply>> now;
    {
      const std::lock_guard lock{mutex_};
      now.swap(answered_);
    }
    for (auto& [on_reply, what] : now) {
      --pending_;
      on_reply(std::move(what));
    }
  }
  void expire(std::chrono::steady_clock::time_point) override {}
  std::size_t pending() const override { return pending_; }

 private:
  void answer(reply_handler on_reply, reply what) {
    {
      const std::lock_guard lock{mutex_};
      answered_.emplace_back(std::move(on_reply), std::move(what));
    }
    wake_();
  }

  fake_runtime& runtime_;
  std::function<void()> wake_;
  std::vector<std::pair<command, reply_handler>> gathered_;
  std::mutex mutex_;
  std::vector<std::pair<reply_handler, reply>> answered_;
  std::size_t pending_ = 0;
};

}  // namespace troupe::http::test
