#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/host/shard.hpp"

/// What a shard does because time passes: timers, housekeeping, letting idle entities go.
namespace troupe {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {
constexpr std::size_t timers_a_round = 256;
constexpr std::size_t passivations_a_round = 1024;
constexpr std::size_t room_candidates = 8;
}  // namespace

/// The shard's time, which ids and timers are made of: the wall clock's, but it never goes back, also not
/// over a restart, and goes on while the wall clock is behind it. So no timer waits for a clock that was set
/// back.
timestamp shard::now() {
  const auto steady = clock_.steady();
  const auto wall = clock_.wall();
  const auto at_least = stamped_ + std::chrono::duration_cast<milliseconds>(steady - stamped_at_);
  if (wall < at_least) return at_least;
  stamped_ = wall;
  stamped_at_ = steady;
  return wall;
}

void shard::on_wake() {
  wake_at_ = {};
  if (!is_serving_) return;
  fire_timers();
  const auto now = clock_.steady();
  if (outbox_.resend_overdue(now - options_.resend_after)) outbox_changed_ = true;
  if (now >= sweep_at_) {
    sweep(now);
    sweep_at_ = now + options_.sweep_interval;
  }
  run_ready();
}

void shard::fire_timers() {
  if (is_stopping_ || !is_accepting_) return;
  // The others stay in the timer queue, which is bounded, until there is room.
  const auto room = options_.queued_max - std::min(queued_, options_.queued_max);
  for (auto& due : timers_.take_due(now(), std::min(timers_a_round, room))) {
    const auto* kind = kinds_.find(due.entity.kind);
    TROUPE_ASSERT(kind != nullptr, "a timer of a kind that this process does not know");
    work item;
    item.cause = entry_cause::timer;
    item.fired = due.timer.id;
    item.message = due.timer.message;
    item.body = std::move(due.timer.body);
    enqueue(resident_of(*kind, due.entity), std::move(item));
  }
}

bool shard::may_passivate(const resident& r) const {
  return !r.is_running && r.queue.empty() && r.last_index <= applied_;
}

void shard::passivate(resident& r) {
  by_use_.erase(r.by_use);
  residents_.erase(residents_.find(*r.ref));
  figures_.passivations.fetch_add(1, std::memory_order_relaxed);
  figures_.residents.store(residents_.size(), std::memory_order_relaxed);
}

/// Looks at the entities in memory, least recently used first: those without work for long go, as do those
/// over the bound (which may be exceeded while all are busy), and those that rest hear what is applied, so
/// that they do not hold on to rows that the store has.
void shard::sweep(steady_clock::time_point now) {
  std::size_t passivations = 0;
  for (auto it = by_use_.begin(); it != by_use_.end();) {
    auto& r = **it++;
    if (r.is_running || !r.queue.empty()) continue;
    const bool must_go =
        now - r.used_at >= r.kind->options.passivate_after || residents_.size() > options_.resident_max;
    if (must_go && may_passivate(r) && passivations < passivations_a_round) {
      passivate(r);
      ++passivations;
    } else if (r.told_applied_batch < r.applied_batch) {
      tell_applied(r);
    }
  }
}

void shard::tell_applied(resident& r) {
  auto batch = std::make_shared<run_batch>();
  batch->owner = &r;
  batch->number = r.batches;
  batch->applied_number = r.told_applied_batch = r.applied_batch;
  r.is_running = true;
  ++running_batches_;
  r.link->run(std::move(batch));
}

/// Before one more entity comes into memory: the least recently used that may go, goes.
void shard::make_room() {
  if (residents_.size() < options_.resident_max) return;
  std::size_t looked_at = 0;
  std::size_t freed = 0;
  for (auto it = by_use_.begin(); it != by_use_.end() && looked_at < room_candidates && freed < 2;
       ++looked_at) {
    auto& r = **it++;
    if (!may_passivate(r)) continue;
    passivate(r);
    ++freed;
  }
}

void shard::schedule(steady_clock::time_point now) {
  if (!is_serving_) return;
  std::optional<steady_clock::time_point> next;
  const auto sooner = [&](steady_clock::time_point at) { next = next ? std::min(*next, at) : at; };
  const auto time = this->now();
  if (!is_stopping_) {
    if (const auto due = timers_.next_wake(time)) sooner(now + std::max(milliseconds{1}, *due - time));
  }
  if (housekeeping_at_ != steady_clock::time_point{}) sooner(housekeeping_at_);
  if (outbox_changed_) sooner(next_delivery_);
  if (!outbox_.is_idle()) sooner(std::max(now + options_.resend_after / 2, next_delivery_));
  if (acknowledge_at_ != steady_clock::time_point{}) sooner(acknowledge_at_);
  if (!residents_.empty()) sooner(std::max(sweep_at_, now + milliseconds{1}));
  if (!next) return;
  if (wake_at_ != steady_clock::time_point{} && wake_at_ <= *next) return;
  wake_at_ = *next;
  ports_.wake_after(std::max(milliseconds{1}, std::chrono::ceil<milliseconds>(*next - now)));
}

}  // namespace troupe
