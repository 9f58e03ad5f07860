#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe {

/// Wakes shards at the times they ask for, all on common ticks of a few milliseconds. Asking is two atomic
/// operations while a sooner tick is due anyway, which under load it always is; CAF's own delayed messages
/// wake the clock's thread each time. While nobody asks, nothing ticks.
class metronome {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  /// `wake` is called on the metronome's thread with the number of one that is due.
  metronome(std::size_t count, std::function<void(std::size_t)> wake);
  ~metronome() { stop(); }
  metronome(const metronome&) = delete;
  metronome& operator=(const metronome&) = delete;

  /// No wake-up comes after this; asking goes on to be allowed.
  void stop();
  /// Asks for one wake-up at the first tick not before `at`; replaces what `who` asked for before.
  void wake_at(std::size_t who, time_point at);

 private:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  void run();
  std::int64_t wake_due();

  const std::function<void(std::size_t)> wake_;
  std::vector<std::atomic<std::int64_t>> due_;  // nanoseconds of the steady clock
  std::atomic<std::int64_t> next_tick_{never};  // when the thread looks again
  std::mutex mutex_;
  std::condition_variable changed_;
  bool was_asked_ = false;  // guarded by mutex_
  bool stopping_ = false;   // guarded by mutex_
  std::thread thread_;
};

}  // namespace troupe
