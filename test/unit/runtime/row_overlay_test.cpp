#include <doctest/doctest.h>

#include "runtime/entity/row_overlay.hpp"
#include "test/support/memory_rows.hpp"

using namespace troupe;
using test::memory_rows;

namespace {

constexpr table_no t1{1};
constexpr table_no t2{2};
constexpr table_no last_table{255};

memory_rows stored_rows() {
  memory_rows rows;
  rows.apply({{t1, "b", "B"}, {t1, "d", "D"}, {t1, "f", "F"}, {t2, "a", "other"}, {last_table, "z", "Z"}});
  return rows;
}

/// Keys and values of a scan, e.g. "b=B d=D".
std::string scanned(const row_overlay& rows, scan_order order, row_range range = {}, table_no table = t1,
                    int stop_after = 100) {
  std::string out;
  rows.scan(table, range, order, [&](std::string_view key, std::string_view value) {
    if (!out.empty()) out += " ";
    out += std::string{key} + "=" + std::string{value};
    return --stop_after > 0;
  });
  return out;
}

}  // namespace

TEST_CASE("overlay: reads what is stored until something is written over it") {
  const auto stored = stored_rows();
  row_overlay rows{stored.source()};
  CHECK(rows.get(t1, "b") == "B");
  CHECK(rows.get(t1, "c") == std::nullopt);
  rows.put(t1, "b", "new");
  rows.put(t1, "d", std::nullopt);
  CHECK(rows.get(t1, "b") == "new");
  CHECK(rows.get(t1, "d") == std::nullopt);
  CHECK(rows.get(t2, "a") == "other");
}

TEST_CASE(
    "overlay: what lies behind the end of its table is not looked for, and is found when it is stored") {
  class counting final : public row_source {
   public:
    counting(std::unique_ptr<row_source> of, int& gets) : of_(std::move(of)), gets_(gets) {}
    std::optional<std::string> get(table_no table, std::string_view key) const override {
      ++gets_;
      return of_->get(table, key);
    }
    void scan(table_no table, const row_range& range, scan_order order,
              const row_visitor& visit) const override {
      of_->scan(table, range, order, visit);
    }

   private:
    std::unique_ptr<row_source> of_;
    int& gets_;
  };
  auto stored = stored_rows();
  int gets = 0;
  row_overlay rows{std::make_unique<counting>(stored.source(), gets)};
  rows.put(t1, "m", "M");  // pending when the end is looked at
  for (const auto* key : {"n", "o", "p", "q"}) CHECK(rows.get(t1, key) == std::nullopt);
  CHECK(gets == 4);
  for (const auto* key : {"r", "s", "t"}) CHECK(rows.get(t1, key) == std::nullopt);
  CHECK(gets == 4);
  CHECK(rows.get(t1, "c") == std::nullopt);  // it could be stored
  CHECK(gets == 5);
  CHECK(rows.get(t2, "z") == std::nullopt);  // another table
  CHECK(gets == 6);
  rows.put(t1, "s", "S");
  stored.apply(rows.seal(1));
  rows.forget(1);
  CHECK(rows.get(t1, "s") == "S");
  CHECK(rows.get(t1, "m") == "M");
  CHECK(gets == 8);
  CHECK(rows.get(t1, "t") == std::nullopt);
  CHECK(gets == 8);
}

TEST_CASE("overlay: a scan merges what is pending into what is stored, both ways") {
  const auto stored = stored_rows();
  row_overlay rows{stored.source()};
  rows.put(t1, "a", "A");
  rows.put(t1, "d", "D2");
  rows.put(t1, "e", "E");
  rows.put(t1, "f", std::nullopt);
  rows.put(t1, "g", "G");
  rows.put(t1, "h", std::nullopt);
  CHECK(scanned(rows, scan_order::ascending) == "a=A b=B d=D2 e=E g=G");
  CHECK(scanned(rows, scan_order::descending) == "g=G e=E d=D2 b=B a=A");
}

TEST_CASE("overlay: a range holds its beginning and not its end") {
  const auto stored = stored_rows();
  row_overlay rows{stored.source()};
  rows.put(t1, "c", "C");
  rows.put(t1, "e", "E");
  for (const auto order : {scan_order::ascending, scan_order::descending}) {
    const bool up = order == scan_order::ascending;
    CHECK(scanned(rows, order, {"b", "e"}) == (up ? "b=B c=C d=D" : "d=D c=C b=B"));
    CHECK(scanned(rows, order, {"c", "d"}) == "c=C");
    CHECK(scanned(rows, order, {"e", ""}) == (up ? "e=E f=F" : "f=F e=E"));
    CHECK(scanned(rows, order, {"x", ""}) == "");
    CHECK(scanned(rows, order, {"d", "d"}) == "");
    CHECK(scanned(rows, order, {"e", "b"}) == "");
  }
}

TEST_CASE("overlay: a scan stops where the visitor says, on a stored row and on a pending one") {
  const auto stored = stored_rows();
  row_overlay rows{stored.source()};
  rows.put(t1, "c", "C");
  rows.put(t1, "z", "Z");
  CHECK(scanned(rows, scan_order::ascending, {}, t1, 1) == "b=B");
  CHECK(scanned(rows, scan_order::ascending, {}, t1, 2) == "b=B c=C");
  CHECK(scanned(rows, scan_order::descending, {}, t1, 1) == "z=Z");
}

TEST_CASE("overlay: tables do not see each other, the last one neither") {
  const auto stored = stored_rows();
  row_overlay rows{stored.source()};
  rows.put(t2, "b", "two");
  rows.put(last_table, "y", "Y");
  CHECK(scanned(rows, scan_order::ascending) == "b=B d=D f=F");
  CHECK(scanned(rows, scan_order::ascending, {}, t2) == "a=other b=two");
  CHECK(scanned(rows, scan_order::descending, {}, last_table) == "z=Z y=Y");
}

TEST_CASE("overlay: a command's writes come out once a row, in order of first writing, with the last value") {
  const auto stored = stored_rows();
  row_overlay rows{stored.source()};
  rows.put(t1, "b", "1");
  rows.put(t1, "a", "2");
  rows.put(t1, "b", "3");
  rows.put(t1, "a", std::nullopt);
  CHECK(rows.seal(1) == std::vector<row_write>{{t1, "b", "3"}, {t1, "a", std::nullopt}});
  CHECK_FALSE(rows.has_open_writes());
  CHECK(rows.get(t1, "b") == "3");
}

TEST_CASE("overlay: undo leaves everything as it was, sealed writes too") {
  const auto stored = stored_rows();
  row_overlay rows{stored.source()};
  rows.put(t1, "b", "sealed");
  rows.put(t1, "d", std::nullopt);
  rows.seal(1);
  const auto before = scanned(rows, scan_order::ascending);
  rows.put(t1, "b", "1");
  rows.put(t1, "b", "2");
  rows.put(t1, "d", "back");
  rows.put(t1, "n", "new");
  rows.undo();
  CHECK(scanned(rows, scan_order::ascending) == before);
  CHECK(before == "b=sealed f=F");
  CHECK_FALSE(rows.has_open_writes());
  CHECK(rows.size() == 2);
}

TEST_CASE("overlay: forget lets go of what the store has, and of nothing newer") {
  auto stored = stored_rows();
  row_overlay rows{stored.source()};
  rows.put(t1, "b", "1");
  rows.put(t1, "d", "1");
  stored.apply(rows.seal(1));
  rows.put(t1, "b", "2");
  const auto second = rows.seal(2);
  rows.forget(1);
  CHECK(rows.size() == 1);
  CHECK(rows.get(t1, "b") == "2");
  CHECK(rows.get(t1, "d") == "1");
  stored.apply(second);
  rows.forget(2);
  CHECK(rows.size() == 0);
  CHECK(scanned(rows, scan_order::ascending) == "b=2 d=1 f=F");
}

TEST_CASE("overlay: an erased row stays erased until the store has forgotten it") {
  auto stored = stored_rows();
  row_overlay rows{stored.source()};
  rows.put(t1, "b", std::nullopt);
  const auto writes = rows.seal(1);
  CHECK(rows.get(t1, "b") == std::nullopt);
  stored.apply(writes);
  rows.forget(1);
  CHECK(rows.get(t1, "b") == std::nullopt);
  CHECK(rows.size() == 0);
}
