#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/time.hpp"

namespace troupe {

/// A 128-bit identifier (RFC 9562). Ordered by its bytes, so version 7 ids order by their creation time.
struct uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend auto operator<=>(const uuid&, const uuid&) = default;
  bool is_nil() const { return bytes == std::array<std::uint8_t, 16>{}; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
};

using user_id = uuid;

/// Version 7: 48 bits of milliseconds, then 74 bits taken from `high` and `low`.
uuid make_uuid_v7(timestamp at, std::uint64_t high, std::uint64_t low);
/// Version 7 that carries `number` (below 2^56) in its last seven bytes and bits of `salt` in the rest: an id
/// that leads to its row without an index. Ids of one millisecond and one salt order by their number.
uuid make_numbered_uuid_v7(timestamp at, std::uint64_t salt, std::uint64_t number);
/// What make_numbered_uuid_v7 was given; any other id yields a number that means nothing.
std::uint64_t number_in(const uuid& id);
/// The time in a version 7 id.
timestamp time_in(const uuid& id);
/// Version 8: the given 16 bytes with version and variant set. For ids that must follow from a client's key.
uuid make_uuid_v8(std::string_view sixteen_bytes);

/// The 36-character form, either case; anything else is refused.
std::optional<uuid> parse_uuid(std::string_view text);
std::optional<uuid> uuid_from_bytes(std::string_view bytes);
std::string to_string(const uuid& id);
void append_to(std::string& out, const uuid& id);

}  // namespace troupe

template <>
struct std::hash<troupe::uuid> {
  std::size_t operator()(const troupe::uuid& id) const noexcept {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, id.bytes.data(), 8);
    std::memcpy(&low, id.bytes.data() + 8, 8);
    return static_cast<std::size_t>(high ^ (low * 0x9e3779b97f4a7c15ULL));
  }
};
