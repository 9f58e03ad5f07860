#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/entity/names.hpp"

namespace troupe {

/// The most that the numbers and lengths of one row, message or timer take in a log entry.
inline constexpr std::size_t entry_item_bytes = 32;

/// A row that a command wrote, or erased when there is no value. A view into the entity's row_overlay, valid
/// until that is next changed: what lasts is the log entry.
struct row_write {
  table_no table{};
  std::string_view key;
  std::optional<std::string_view> value;

  std::size_t bytes_at_most() const { return entry_item_bytes + key.size() + (value ? value->size() : 0); }
  friend bool operator==(const row_write&, const row_write&) = default;
};

/// A message for the outbox: a command to another entity, delivered after commit, exactly once in effect.
struct outbound {
  entity_ref target;
  message_no message{};
  std::string body;
  friend bool operator==(const outbound&, const outbound&) = default;
};

/// Messages that one command may send.
inline constexpr std::size_t sends_max = 65'536;

/// What one command may write, send and answer, as one log entry: an entry is written, synced, replicated and
/// replayed whole.
inline constexpr std::size_t entry_bytes_max = 16U << 20U;

/// A durable wake-up: `message` is a command to the entity that set it.
struct timer_set {
  timer_id id;
  message_no message{};
  std::string body;
  friend bool operator==(const timer_set&, const timer_set&) = default;
};

/// All that one command did. Becomes one log entry; recorded, never done in place.
struct effects {
  std::vector<row_write> rows;
  std::vector<outbound> sends;
  std::vector<timer_set> timers_set;
  std::vector<timer_id> timers_cancelled;

  /// Not less than what they take in a log entry.
  std::size_t bytes_at_most() const {
    auto sum = entry_item_bytes * (4 + timers_cancelled.size());
    for (const auto& row : rows) sum += row.bytes_at_most();
    for (const auto& send : sends) sum += entry_item_bytes + send.target.key.size() + send.body.size();
    for (const auto& timer : timers_set) sum += entry_item_bytes + timer.body.size();
    return sum;
  }
  bool empty() const {
    return rows.empty() && sends.empty() && timers_set.empty() && timers_cancelled.empty();
  }
};

}  // namespace troupe
