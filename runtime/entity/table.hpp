#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/base/assert.hpp"
#include "runtime/entity/codec.hpp"
#include "runtime/entity/row_overlay.hpp"
#include "runtime/entity/sort_key.hpp"

namespace troupe {

/// The first byte of a stored row: the version of the encoding, not of the kind.
inline constexpr char row_format = 1;

/// What a page of rows is asked for. `cursor` is the key of the last row of the page before, as bytes; it
/// comes from a client, so it is only ever used as a position inside the range.
struct page_request {
  std::uint64_t limit = 20;
  std::string cursor;
  friend auto operator<=>(const page_request&, const page_request&) = default;
};
TROUPE_DESCRIBE(page_request, limit, cursor)

template <class Key, class Row>
struct row_page {
  std::vector<std::pair<Key, Row>> rows;
  std::string next_cursor;  // empty at the end
};

/// The row of an index: its key says it all.
struct present {
  friend auto operator<=>(const present&, const present&) = default;
};
BOOST_DESCRIBE_STRUCT(present, (), ())

/// The smallest byte string greater than all that start with `prefix`; empty when there is none.
inline std::string prefix_end(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

template <class Row>
std::string encode_row(const Row& row) {
  std::string bytes;
  bytes.reserve(encoded_bytes_guess);
  bytes.push_back(row_format);
  encode_fields(bytes, row);
  return bytes;
}

template <class Row>
Row decode_row(std::string_view bytes) {
  Row row;
  TROUPE_ASSERT(!bytes.empty() && bytes.front() == row_format, "stored row of an unknown format");
  TROUPE_ASSERT(decode(bytes.substr(1), row), "stored row does not decode");
  return row;
}

/// A collection of rows of one entity: what grows without bound and is never loaded whole.
template <class Key, class Row>
class table {
 public:
  table(row_overlay& rows, table_no number) : rows_(rows), number_(number) {}

  std::optional<Row> find(const Key& key) const {
    const auto bytes = rows_.get(number_, to_sort_key(key));
    if (!bytes) return std::nullopt;
    return decode_row<Row>(*bytes);
  }
  bool contains(const Key& key) const { return rows_.get(number_, to_sort_key(key)).has_value(); }
  void put(const Key& key, const Row& row) { rows_.put(number_, to_sort_key(key), encode_row(row)); }
  void erase(const Key& key) { rows_.put(number_, to_sort_key(key), std::nullopt); }

  /// One page of the rows whose key starts with `prefix` (the sort key of a tuple's first parts, or empty).
  row_page<Key, Row> list(const page_request& page, scan_order order, const std::string& prefix = {}) const {
    row_page<Key, Row> out;
    std::string last_key;
    rows_.scan(number_, range_behind(page.cursor, order, prefix), order,
               [&](std::string_view key, std::string_view value) {
                 if (out.rows.size() == page.limit) {
                   out.next_cursor = last_key;
                   return false;
                 }
                 Key typed{};
                 TROUPE_ASSERT(from_sort_key(key, typed), "stored row key does not decode");
                 out.rows.emplace_back(std::move(typed), decode_row<Row>(value));
                 last_key.assign(key);
                 return true;
               });
    return out;
  }

 private:
  static row_range range_behind(const std::string& cursor, scan_order order, const std::string& prefix) {
    row_range range{prefix, prefix_end(prefix)};
    if (cursor.empty()) return range;
    if (order == scan_order::ascending) {
      range.from = std::max(range.from, cursor + '\0');
    } else if (range.to.empty() || cursor < range.to) {
      range.to = cursor;
    }
    return range;
  }

  row_overlay& rows_;
  table_no number_;
};

}  // namespace troupe
