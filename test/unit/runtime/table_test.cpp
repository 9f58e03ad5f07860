#include <doctest/doctest.h>

#include "runtime/entity/table.hpp"
#include "test/support/memory_rows.hpp"

using namespace troupe;

namespace {

struct line {
  std::string text{};
};
TROUPE_DESCRIBE(line, text)

using key = std::tuple<std::string, std::uint64_t>;

struct fixture {
  test::memory_rows stored;
  row_overlay rows{stored.source()};
  table<key, line> lines{rows, table_no{1}};

  fixture() {
    for (const std::string owner : {"a", "b", "c"}) {
      for (std::uint64_t i = 1; i <= 4; ++i) lines.put({owner, i}, {owner + std::to_string(i)});
    }
  }
  /// All pages of the prefix, each page's texts joined, pages separated by '|'.
  std::string pages(std::uint64_t limit, scan_order order, const std::string& prefix) const {
    std::string out;
    page_request page{.limit = limit, .cursor = {}};
    while (true) {
      const auto found = lines.list(page, order, prefix);
      for (const auto& [name, row] : found.rows) out += row.text;
      if (found.next_cursor.empty()) return out;
      out += '|';
      page.cursor = found.next_cursor;
    }
  }
};

const std::string prefix_b = to_sort_key(std::string{"b"});

}  // namespace

TEST_CASE("table: finds what was put, and nothing that was erased") {
  fixture f;
  REQUIRE(f.lines.find({"b", 2}));
  CHECK(f.lines.find({"b", 2})->text == "b2");
  CHECK(f.lines.contains({"b", 2}));
  f.lines.erase({"b", 2});
  CHECK_FALSE(f.lines.find({"b", 2}));
  CHECK_FALSE(f.lines.contains({"b", 2}));
}

TEST_CASE("table: pages of a prefix cover it once, both ways") {
  const fixture f;
  CHECK(f.pages(2, scan_order::ascending, prefix_b) == "b1b2|b3b4");
  CHECK(f.pages(3, scan_order::ascending, prefix_b) == "b1b2b3|b4");
  CHECK(f.pages(2, scan_order::descending, prefix_b) == "b4b3|b2b1");
  CHECK(f.pages(4, scan_order::descending, prefix_b) == "b4b3b2b1");
  CHECK(f.pages(5, scan_order::descending, {}) == "c4c3c2c1b4|b3b2b1a4a3|a2a1");
}

TEST_CASE("table: a cursor from outside the prefix never leads out of it") {
  const fixture f;
  const auto list = [&](const std::string& cursor, scan_order order) {
    std::string out;
    for (const auto& [name, row] : f.lines.list({.limit = 9, .cursor = cursor}, order, prefix_b).rows)
      out += row.text;
    return out;
  };
  const auto before = to_sort_key(key{"a", 3});
  const auto behind = to_sort_key(key{"c", 2});
  CHECK(list(before, scan_order::ascending) == "b1b2b3b4");
  CHECK(list(behind, scan_order::ascending) == "");
  CHECK(list(before, scan_order::descending) == "");
  CHECK(list(behind, scan_order::descending) == "b4b3b2b1");
  CHECK(list("\xff\xff\xff", scan_order::ascending) == "");
  CHECK(list(std::string(1, '\0'), scan_order::ascending) == "b1b2b3b4");
}

TEST_CASE("table: a cursor stays good when its row is gone") {
  fixture f;
  const auto first = f.lines.list({.limit = 2, .cursor = {}}, scan_order::ascending, prefix_b);
  f.lines.erase({"b", 2});
  const auto second =
      f.lines.list({.limit = 9, .cursor = first.next_cursor}, scan_order::ascending, prefix_b);
  REQUIRE(second.rows.size() == 2);
  CHECK(second.rows.front().second.text == "b3");
}

TEST_CASE("table: a stored row begins with its format") {
  CHECK(encode_row(line{"x"}) == std::string("\x01\x03\x01x", 4));
  CHECK(decode_row<line>(encode_row(line{"x"})).text == "x");
  CHECK(encode_row(present{}) == "\x01");
}
