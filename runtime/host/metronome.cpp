#include "runtime/host/metronome.hpp"

#include <algorithm>

#include "runtime/base/thread_name.hpp"

namespace troupe {
namespace {

constexpr std::int64_t tick_ns = 5'000'000;

std::int64_t to_ns(metronome::time_point at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

metronome::time_point to_time(std::int64_t ns) { return metronome::time_point{std::chrono::nanoseconds{ns}}; }

std::int64_t tick_at_or_after(std::int64_t ns) { return (ns + tick_ns - 1) / tick_ns * tick_ns; }

}  // namespace

metronome::metronome(std::size_t count, std::function<void(std::size_t)> wake)
    : wake_(std::move(wake)), due_(count) {
  for (auto& due : due_) due.store(never);
  thread_ = std::thread{[this] { run(); }};
}

void metronome::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void metronome::wake_at(std::size_t who, time_point at) {
  const auto tick = tick_at_or_after(to_ns(at));
  due_[who].store(tick);
  // The thread writes next_tick_ and then looks at due_; here it is the other way round, so one of them sees
  // the other (both are sequentially consistent).
  if (tick >= next_tick_.load()) return;
  {
    const std::lock_guard lock{mutex_};
    was_asked_ = true;
  }
  changed_.notify_one();
}

/// Wakes those that are due; gives the next tick that anybody waits for. Without the lock: `wake` may ask
/// again.
std::int64_t metronome::wake_due() {
  const auto now = to_ns(std::chrono::steady_clock::now());
  for (std::size_t who = 0; who < due_.size(); ++who) {
    auto due = due_[who].load();
    if (due <= now && due_[who].compare_exchange_strong(due, never)) wake_(who);
  }
  auto next = never;
  for (const auto& due : due_) next = std::min(next, due.load());
  return next;
}

void metronome::run() {
  name_thread("troupe-ticks");
  for (;;) {
    const auto next = wake_due();
    next_tick_.store(next);
    // Somebody may have asked for less between the look and the store.
    if (std::any_of(due_.begin(), due_.end(), [&](const auto& due) { return due.load() < next; })) continue;
    std::unique_lock lock{mutex_};
    const auto roused = [this] { return was_asked_ || stopping_; };
    if (next == never) {
      changed_.wait(lock, roused);
    } else {
      changed_.wait_until(lock, to_time(next), roused);
    }
    if (stopping_) return;
    was_asked_ = false;
  }
}

}  // namespace troupe
