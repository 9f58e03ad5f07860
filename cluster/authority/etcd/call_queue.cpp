#include "cluster/authority/etcd/call_queue.hpp"

namespace troupe::etcd {

call_queue::call_queue(endpoint_list& endpoints, limits bounds) : limits_(bounds) {
  for (unsigned i = 0; i < limits_.workers; ++i) links_.push_back(std::make_unique<gateway_link>(endpoints));
  for (auto& link : links_) workers_.emplace_back([this, &link] { work(*link); });
  timekeeper_ = std::thread{[this] { keep_time(); }};
}

call_queue::~call_queue() {
  {
    std::unique_lock lock{mutex_};
    is_stopping_ = true;
    waiting_.clear();
    expire(lock, call::time_point::max());
  }
  work_came_.notify_all();
  deadline_moved_.notify_all();
  for (auto& worker : workers_) worker.join();
  timekeeper_.join();
}

void call_queue::submit(call::work what, std::function<void()> give_up) {
  std::unique_lock lock{mutex_};
  if (is_stopping_) {
    lock.unlock();
    return give_up();
  }
  while (!by_deadline_.empty() && by_deadline_.front()->is_claimed()) by_deadline_.pop_front();
  const bool fits = waiting_.size() < limits_.waiting_max;
  const auto deadline = fits ? std::chrono::steady_clock::now() + limits_.patience : call::time_point{};
  auto next = std::make_shared<call>(deadline, std::move(what), std::move(give_up));
  if (fits) {
    waiting_.push_back(next);
    by_deadline_.push_back(std::move(next));
    work_came_.notify_one();
  } else {
    by_deadline_.push_front(std::move(next));  // late already: the timekeeper answers, on its own thread
  }
  if (!fits || by_deadline_.size() == 1) deadline_moved_.notify_one();
}

std::shared_ptr<call> call_queue::take(gateway_link& link) {
  std::unique_lock lock{mutex_};
  work_came_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
  if (waiting_.empty()) return nullptr;
  auto next = std::move(waiting_.front());
  waiting_.pop_front();
  next->link = &link;
  return next;
}

void call_queue::work(gateway_link& link) {
  while (const auto next = take(link)) {
    if (!next->is_claimed()) next->run(link, *next);
    const std::lock_guard lock{mutex_};
    next->link = nullptr;
  }
}

void call_queue::keep_time() {
  std::unique_lock lock{mutex_};
  while (true) {
    expire(lock, std::chrono::steady_clock::now());
    if (is_stopping_ && by_deadline_.empty()) return;
    if (by_deadline_.empty()) {
      deadline_moved_.wait(lock);
    } else {
      const auto next = by_deadline_.front()->deadline;
      deadline_moved_.wait_until(lock, next);
    }
  }
}

void call_queue::expire(std::unique_lock<std::mutex>& lock, call::time_point now) {
  while (!by_deadline_.empty()) {
    const auto first = by_deadline_.front();
    if (!first->is_claimed() && first->deadline > now) return;
    by_deadline_.pop_front();
    if (!first->claim()) continue;
    // The worker must not sit in this call any longer.
    if (first->link != nullptr) first->link->abort();
    lock.unlock();
    first->give_up();
    lock.lock();
  }
}

}  // namespace troupe::etcd
