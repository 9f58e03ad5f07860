#include "runtime/timer/timer_queue.hpp"

#include <algorithm>

namespace troupe {

void timer_queue::set(std::uint64_t index, const entity_ref& entity, timer_set timer) {
  auto name = key_of(entity, timer.id);
  message what{timer.message, std::move(timer.body)};
  unapplied_.emplace_back(index, std::pair{name, what});
  if (timer.id.due < loaded_until_) {
    loaded_.emplace(std::move(name), std::move(what));
    keep_within_bound();
  } else {
    may_have_more_ = true;
  }
}

bool timer_queue::cancel(std::uint64_t index, const entity_ref& entity, const timer_id& id) {
  auto name = key_of(entity, id);
  loaded_.erase(name);
  const bool is_firing = firing_.erase(name) > 0;
  ended(index, std::move(name));
  return is_firing;
}

void timer_queue::fired(std::uint64_t index, const entity_ref& entity, const timer_id& id) {
  auto name = key_of(entity, id);
  firing_.erase(name);
  ended(index, std::move(name));
}

/// Until the store has erased its row, the timer must not be loaded again.
void timer_queue::ended(std::uint64_t index, key name) {
  ended_.insert(name);
  unapplied_ends_.emplace(index, std::move(name));
}

std::vector<stored_timer> timer_queue::take_due(timestamp now, std::size_t limit) {
  if (has_room_to_load() && now + horizon_ / 2 >= loaded_until_) load(now);
  std::vector<stored_timer> due;
  while (!loaded_.empty() && due.size() < limit) {
    auto it = loaded_.begin();
    const auto& [due_ms, kind, entity_key, number] = it->first;
    if (due_ms > now.ms) break;
    due.push_back({{kind, entity_key}, {{{due_ms}, number}, it->second.number, std::move(it->second.body)}});
    firing_.insert(it->first);
    loaded_.erase(it);
  }
  return due;
}

void timer_queue::load(timestamp now) {
  const timestamp from = loaded_until_;
  timestamp to = now + horizon_;
  may_have_more_ = false;
  // One row past the horizon tells whether anything is left behind it.
  stored_(from, timestamp{std::numeric_limits<std::int64_t>::max()}, [&](stored_timer&& timer) {
    if (timer.timer.id.due >= to) {
      may_have_more_ = true;
      return false;
    }
    if (loaded_.size() >= loaded_max_ && timer.timer.id.due > from) {
      to = timer.timer.id.due;
      may_have_more_ = true;
      return false;
    }
    auto name = key_of(timer.entity, timer.timer.id);
    if (!ended_.contains(name) && !firing_.contains(name)) {
      loaded_.emplace(std::move(name), message{timer.timer.message, std::move(timer.timer.body)});
    }
    return true;
  });
  loaded_until_ = to;
  for (const auto& [index, timer] : unapplied_) {
    const auto due = std::get<0>(timer.first);
    if (due < from.ms) continue;
    if (due >= to.ms) {
      may_have_more_ = true;
    } else if (!ended_.contains(timer.first) && !firing_.contains(timer.first)) {
      loaded_.insert(timer);
    }
  }
}

/// Lets go of the later half: the rows are stored, or remembered as not applied yet.
void timer_queue::keep_within_bound() {
  if (loaded_.size() <= 2 * loaded_max_) return;
  auto middle = loaded_.begin();
  std::advance(middle, static_cast<std::ptrdiff_t>(loaded_max_));
  // All timers of one millisecond stay on the same side.
  const auto cut = std::get<0>(middle->first);
  auto from = loaded_.lower_bound(key{cut, kind_id{}, std::string{}, 0});
  if (from == loaded_.begin()) return;
  loaded_until_ = {cut};
  may_have_more_ = true;
  loaded_.erase(from, loaded_.end());
}

void timer_queue::forget_applied(std::uint64_t index) {
  while (!unapplied_.empty() && unapplied_.front().first <= index) unapplied_.pop_front();
  while (!unapplied_ends_.empty() && unapplied_ends_.begin()->first <= index) {
    ended_.erase(unapplied_ends_.begin()->second);
    unapplied_ends_.erase(unapplied_ends_.begin());
  }
}

std::optional<timestamp> timer_queue::next_wake(timestamp now) const {
  std::optional<timestamp> next;
  if (!loaded_.empty()) next = timestamp{std::get<0>(loaded_.begin()->first)};
  if (has_room_to_load()) {
    const auto load_at = std::max(now, loaded_until_ + (-horizon_ / 2));
    next = next ? std::min(*next, load_at) : load_at;
  }
  return next;
}

}  // namespace troupe
