#pragma once

#include <string>
#include <vector>

#include "runtime/entity/route.hpp"

namespace troupe::http::test {

struct toy_view {
  std::string name;
  std::int64_t count = 0;
  friend bool operator==(const toy_view&, const toy_view&) = default;
};
TROUPE_DESCRIBE(toy_view, name, count)

struct toy_page {
  std::vector<toy_view> items;
  std::optional<std::string> next_cursor;
  friend bool operator==(const toy_page&, const toy_page&) = default;
};
TROUPE_DESCRIBE(toy_page, items, next_cursor)

enum class toy_refusal : std::uint8_t { sold_out = 1, not_open = 2, no_such_toy = 3 };

inline constexpr message_no get_toy{1};
inline constexpr message_no make_toy{2};
inline constexpr message_no list_toys{3};

/// Three routes of a kind that does not exist, and one that is served in compat mode only.
std::vector<route_block> toy_blocks();

}  // namespace troupe::http::test
