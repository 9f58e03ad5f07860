#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "cluster/authority/etcd/gateway_link.hpp"

namespace troupe::etcd {

/// One request of a caller's. Who claims it, answers it: its worker, or the timekeeper at its deadline.
class call {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  /// Runs on a worker; claims before it answers.
  using work = std::function<void(gateway_link&, call&)>;

  call(time_point until, work what, std::function<void()> when_late)
      : deadline(until), run(std::move(what)), give_up(std::move(when_late)) {}
  /// True once: for the one who answers.
  bool claim() { return !is_claimed_.exchange(true); }
  bool is_claimed() const { return is_claimed_.load(); }

  const time_point deadline;
  const work run;
  const std::function<void()> give_up;  // "not known in time"
  gateway_link* link = nullptr;         // while it runs; guarded by the queue

 private:
  std::atomic<bool> is_claimed_{false};
};

/// A few workers, each with a connection of its own, and a timekeeper that gives up what is late. Every call
/// is answered once: by its work, at its deadline, at once when the queue is full, or by the destructor.
class call_queue {
 public:
  struct limits {
    unsigned workers = 4;
    std::size_t waiting_max = 1024;
    std::chrono::milliseconds patience{3000};
  };

  call_queue(endpoint_list& endpoints, limits bounds);
  ~call_queue();
  call_queue(const call_queue&) = delete;
  call_queue& operator=(const call_queue&) = delete;

  /// Never blocks. What a callback submits while the queue is being destroyed is dropped unanswered.
  void submit(call::work what, std::function<void()> give_up);

 private:
  void work(gateway_link& link);
  void keep_time();
  /// The next call to run; null: the end.
  std::shared_ptr<call> take(gateway_link& link);
  /// Gives up calls until `now`; under the lock, which it leaves while it calls back.
  void expire(std::unique_lock<std::mutex>& lock, call::time_point now);

  const limits limits_;
  std::mutex mutex_;
  std::condition_variable work_came_;
  std::condition_variable deadline_moved_;
  bool is_stopping_ = false;
  std::deque<std::shared_ptr<call>> waiting_;
  // All have the same patience, so the order of submission is the order of deadlines.
  std::deque<std::shared_ptr<call>> by_deadline_;
  std::vector<std::unique_ptr<gateway_link>> links_;
  std::vector<std::thread> workers_;
  std::thread timekeeper_;
};

}  // namespace troupe::etcd
