#include "cluster/node/desk.hpp"

#include "runtime/base/thread_name.hpp"

namespace troupe {

namespace {
constexpr std::chrono::milliseconds expire_interval{200};
}

desk::desk(node& runtime, ways back)
    : back_(std::move(back)),
      port_(runtime.make_port([this] {
        {
          const std::lock_guard lock{mutex_};
          has_replies_ = true;
        }
        woken_.notify_one();
      })),
      thread_([this] { run(); }) {}

desk::~desk() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  woken_.notify_one();
  thread_.join();
}

void desk::take(const member& front, wire::shard_command&& what) {
  bool is_first = false;
  {
    const std::lock_guard lock{mutex_};
    is_first = arrived_.empty();
    if (arrived_.size() < waiting_max && arrived_bytes_ + what.what.body.size() <= waiting_bytes_max) {
      arrived_bytes_ += what.what.body.size();
      arrived_.push_back({front, std::move(what)});
    } else {
      std::string out;
      wire::encode(out, wire::shard_reply{what.ticket, {reply_status::overloaded, {}, 0, false}});
      back_.answer(front, out);
    }
  }
  if (is_first) woken_.notify_one();
}

void desk::answer(const member& front, std::uint64_t ticket, reply&& what) {
  buffer_.clear();
  wire::encode(buffer_, wire::shard_reply{ticket, std::move(what)});
  back_.answer(front, buffer_);
}

void desk::run() {
  name_thread("troupe-desk");
  std::vector<arrival> taken;
  auto expire_at = std::chrono::steady_clock::now() + expire_interval;
  for (;;) {
    {
      std::unique_lock lock{mutex_};
      const auto is_woken = [this] { return is_stopping_ || has_replies_ || !arrived_.empty(); };
      // Nothing expires while nothing waits.
      if (port_->pending() == 0) {
        woken_.wait(lock, is_woken);
      } else {
        woken_.wait_until(lock, expire_at, is_woken);
      }
      if (is_stopping_) return;
      std::swap(taken, arrived_);
      arrived_bytes_ = 0;
      has_replies_ = false;
    }
    for (auto& [front, one] : taken)
      port_->submit(std::move(one.what),
                    [this, front = front, ticket = one.ticket, shard = one.shard](reply&& what) {
                      const bool is_elsewhere = what.status == reply_status::not_primary;
                      answer(front, ticket, std::move(what));
                      if (is_elsewhere) back_.redirect(front, shard);
                    });
    taken.clear();
    port_->flush();
    port_->drain();
    const auto now = std::chrono::steady_clock::now();
    if (now < expire_at) continue;
    port_->expire(now);
    expire_at = now + expire_interval;
  }
}

}  // namespace troupe
