#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Wall-clock time: milliseconds since 1970-01-01T00:00:00Z. Zero means "not set".
struct timestamp {
  std::int64_t ms = 0;

  friend auto operator<=>(const timestamp&, const timestamp&) = default;
  friend timestamp operator+(timestamp at, std::chrono::milliseconds by) { return {at.ms + by.count()}; }
  friend std::chrono::milliseconds operator-(timestamp a, timestamp b) {
    return std::chrono::milliseconds{a.ms - b.ms};
  }
};

/// RFC 3339 in UTC with milliseconds: 2026-01-31T09:30:00.000Z.
std::string to_rfc3339(timestamp at);
void append_to(std::string& out, timestamp at);
/// Accepts any RFC 3339 date-time with an offset, from year 1970 to 9999; fractions below a millisecond are
/// dropped.
std::optional<timestamp> parse_rfc3339(std::string_view text);

}  // namespace troupe
