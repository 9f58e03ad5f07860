#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "runtime/base/time.hpp"
#include "runtime/entity/describe.hpp"

namespace troupe {

/// The number of a kind. For ever: it is part of every stored key.
enum class kind_id : std::uint8_t {};
/// The number of a command or query within its kind. For ever: it is in the log, in outboxes and in timers.
enum class message_no : std::uint8_t {};
/// The number of a collection of rows within its kind. 0 is the state itself.
enum class table_no : std::uint8_t {};

inline constexpr table_no state_table{0};

/// Keys of entities are 1 to this many bytes.
inline constexpr std::size_t entity_key_bytes_max = 200;

/// The name of one durable actor, e.g. sku/iphone-15. It can be reached by this name from everywhere.
struct entity_ref {
  kind_id kind{};
  std::string key;
  friend auto operator<=>(const entity_ref&, const entity_ref&) = default;
};
TROUPE_DESCRIBE(entity_ref, kind, key)

/// Names one timer of one entity; keep it in the state or in a row to be able to cancel it.
struct timer_id {
  timestamp due;
  std::uint64_t number = 0;
  friend auto operator<=>(const timer_id&, const timer_id&) = default;
};
TROUPE_DESCRIBE(timer_id, due, number)

}  // namespace troupe

template <>
struct std::hash<troupe::entity_ref> {
  std::size_t operator()(const troupe::entity_ref& ref) const noexcept {
    return std::hash<std::string>{}(ref.key) * 31 + static_cast<std::size_t>(ref.kind);
  }
};
