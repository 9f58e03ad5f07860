#include "cluster/node/background.hpp"

#include "runtime/base/thread_name.hpp"

namespace troupe {

background::background()
    : thread_([this] {
        name_thread("troupe-backgr");
        for (std::unique_lock lock{mutex_};;) {
          woken_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
          if (is_stopping_) return;
          const auto what = std::move(waiting_.front());
          waiting_.pop_front();
          lock.unlock();
          what();
          lock.lock();
        }
      }) {}

background::~background() { stop(); }

void background::stop() {
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
    dropped.swap(waiting_);
  }
  dropped.clear();  // not under the lock: what it holds may take long to go
  woken_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void background::run(std::function<void()> what) {
  {
    const std::lock_guard lock{mutex_};
    if (is_stopping_) return;
    waiting_.push_back(std::move(what));
  }
  woken_.notify_all();
}

}  // namespace troupe
