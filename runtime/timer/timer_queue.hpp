#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "runtime/journal/apply_buffer.hpp"

namespace troupe {

/// The durable timers of one shard. All are rows of the store; only those due soon are in memory, at most
/// `loaded_max`, so any number may exist.
///
/// Invariant timer/T1: every timer due before loaded_until() that was set and neither fired nor cancelled is
/// in memory. Timers of entries that the store does not have yet are remembered until it has them.
class timer_queue {
 public:
  /// Visits the stored timers with due in [from, to), in order, until false.
  using loader =
      std::function<void(timestamp from, timestamp to, const std::function<bool(stored_timer&&)>&)>;

  timer_queue(loader stored, std::size_t loaded_max = 10'000,
              std::chrono::milliseconds horizon = std::chrono::seconds{60})
      : stored_(std::move(stored)), loaded_max_(loaded_max), horizon_(horizon) {}

  /// A timer of log entry `index`.
  void set(std::uint64_t index, const entity_ref& entity, timer_set timer);
  /// True when the timer has been handed out by take_due() and not finished: the caller must stop it.
  [[nodiscard]] bool cancel(std::uint64_t index, const entity_ref& entity, const timer_id& id);
  /// The timers that are due, at most `limit`; each is handed out once until restart.
  std::vector<stored_timer> take_due(timestamp now, std::size_t limit);
  /// A timer that was handed out has fired with log entry `index`.
  void fired(std::uint64_t index, const entity_ref& entity, const timer_id& id);
  void forget_applied(std::uint64_t index);

  /// When to call take_due() next; nothing while no timer exists.
  std::optional<timestamp> next_wake(timestamp now) const;
  timestamp loaded_until() const { return loaded_until_; }
  std::size_t loaded() const { return loaded_.size(); }

 private:
  using key = std::tuple<std::int64_t, kind_id, std::string, std::uint64_t>;  // due, entity, number
  struct message {
    message_no number{};
    std::string body;
  };
  static key key_of(const entity_ref& entity, const timer_id& id) {
    return {id.due.ms, entity.kind, entity.key, id.number};
  }
  void load(timestamp now);
  /// Those in memory are due before all others, so while there are many no others are needed.
  bool has_room_to_load() const { return may_have_more_ && loaded_.size() <= loaded_max_ / 2; }
  void ended(std::uint64_t index, key name);
  void keep_within_bound();

  loader stored_;
  std::size_t loaded_max_;
  std::chrono::milliseconds horizon_;
  timestamp loaded_until_{};
  bool may_have_more_ = true;  // stored timers behind loaded_until_
  std::map<key, message> loaded_;
  std::set<key> firing_;
  std::deque<std::pair<std::uint64_t, std::pair<key, message>>> unapplied_;
  std::multimap<std::uint64_t, key> unapplied_ends_;
  std::set<key> ended_;  // fired or cancelled, while the store still has the row
};

}  // namespace troupe
