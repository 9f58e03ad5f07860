#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/entity/names.hpp"

namespace troupe {

/// A row that a command wrote, or erased when there is no value.
struct row_write {
  table_no table{};
  std::string key;
  std::optional<std::string> value;
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

  bool empty() const {
    return rows.empty() && sends.empty() && timers_set.empty() && timers_cancelled.empty();
  }
};

}  // namespace troupe
