#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace troupe {

/// A thread for what takes long.
class background {
 public:
  background();
  ~background();
  background(const background&) = delete;
  background& operator=(const background&) = delete;
  /// Any thread. After stop() it is dropped.
  void run(std::function<void()> what);
  /// Returns when nothing runs any more. What has not begun is dropped, with what it holds.
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  std::deque<std::function<void()>> waiting_;  // guarded by mutex_
  bool is_stopping_ = false;                   // guarded by mutex_
  std::thread thread_;
};

}  // namespace troupe
