#include "runtime/journal/row_buffer.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace troupe;

namespace {

std::string written(const row_buffer& rows) {
  std::string out;
  for (const auto* row : rows.sorted()) {
    out += std::string{row->key} + (row->is_erased ? "-" : "=" + std::string{row->value}) + " ";
  }
  return out;
}

}  // namespace

TEST_CASE("row buffer: of several writes to one key the last counts, and keys come in order") {
  row_buffer rows;
  rows.put("b", "1");
  rows.put("a", "1");
  rows.put("b", "2");
  rows.erase("a");
  rows.erase("c");
  CHECK(written(rows) == "a- b=2 c- ");
}

TEST_CASE("row buffer: a new row that goes again leaves no trace, an old one does") {
  row_buffer rows;
  rows.put_new("new", "1");
  rows.erase("new");
  rows.put("old", "1");
  rows.erase("old");
  CHECK(written(rows) == "old- ");
  rows.put_new("new", "2");
  CHECK(written(rows) == "new=2 old- ");
  rows.erase("new");
  rows.erase("new");  // nothing in the buffer any more, so it may be in the store
  CHECK(written(rows) == "new- old- ");
}

TEST_CASE("row buffer: holds any number of rows, and bytes of its own") {
  row_buffer rows;
  for (int i = 0; i < 200'000; ++i) {
    const auto text = std::to_string(i);
    rows.put("key " + text, rows.keep(text));
  }
  for (int i = 0; i < 200'000; i += 2) rows.erase("key " + std::to_string(i));
  std::size_t erased = 0;
  std::string last;
  for (const auto* row : rows.sorted()) {
    CHECK(std::string_view{last} < row->key);
    last = row->key;
    erased += row->is_erased ? 1U : 0U;
    if (!row->is_erased) CHECK("key " + std::string{row->value} == row->key);
  }
  CHECK(erased == 100'000);
  rows.clear();
  CHECK(rows.sorted().empty());
  rows.put("key 1", rows.keep(std::string(1U << 20U, 'x')));
  CHECK(rows.sorted().size() == 1);
}
