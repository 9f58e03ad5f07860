#include <doctest/doctest.h>

#include "runtime/entity/sort_key.hpp"
#include "runtime/entity/table.hpp"

using namespace troupe;

namespace {

enum class size : std::uint8_t { small = 1, large = 200 };
TROUPE_DESCRIBE_ENUM(size, small, large)

/// `values` are in order: so must their keys be, and each must read back.
template <class T>
void check_order(const std::vector<T>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i);
    T back{};
    REQUIRE(from_sort_key(to_sort_key(values[i]), back));
    CHECK(back == values[i]);
    if (i > 0) CHECK(to_sort_key(values[i - 1]) < to_sort_key(values[i]));
  }
}

}  // namespace

TEST_CASE("sort key: the order of bytes is the order of values") {
  check_order<std::uint64_t>({0, 1, 255, 256, 65'535, 1ULL << 32, ~0ULL});
  check_order<timestamp>({{0}, {1}, {1'769'851'800'000}});
  check_order<size>({size::small, size::large});
  check_order<uuid>({uuid{}, make_uuid_v7({1}, 0, 0), make_uuid_v7({2}, 0, 0)});
  check_order<std::string>({"", std::string("\0", 1), std::string("\0\0", 2), std::string("\0\xff", 2),
                            "\x01", "a", std::string("a\0", 2), "aa", "b", "\xff"});
}

TEST_CASE("sort key: tuples order by their first part, then the next") {
  check_order<std::tuple<std::string, std::uint64_t>>(
      {{"", 9}, {"a", 1}, {"a", 2}, {std::string("a\0", 2), 0}, {"aa", 0}});
  check_order<std::tuple<size, timestamp, std::uint64_t>>(
      {{size::small, {5}, 5}, {size::small, {6}, 1}, {size::large, {0}, 0}});
}

TEST_CASE("sort key: bytes that are no key are refused") {
  std::uint64_t number = 0;
  CHECK_FALSE(from_sort_key("1234567", number));
  CHECK_FALSE(from_sort_key("123456789", number));
  std::string text;
  CHECK_FALSE(from_sort_key("", text));
  CHECK_FALSE(from_sort_key("abc", text));
  CHECK_FALSE(from_sort_key(std::string_view{"abc\0", 4}, text));
  uuid id;
  CHECK_FALSE(from_sort_key("short", id));
}

TEST_CASE("sort key: the end of a prefix is the smallest string behind all that start with it") {
  CHECK(prefix_end("a") == "b");
  CHECK(prefix_end(std::string("a\xff", 2)) == "b");
  CHECK(prefix_end("\xff\xff") == "");
  CHECK(prefix_end("") == "");
}
