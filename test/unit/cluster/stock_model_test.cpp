#include "cluster/history/stock_model.hpp"

#include <doctest/doctest.h>

using namespace troupe::history;

TEST_CASE("stock model: answers as actors/sku does, and moves the units") {
  struct row {
    op_kind kind;
    std::uint64_t order;
    std::int64_t quantity;
    outcome what;
    reason why;
    bool changes;
    stock_counts after;
  };
  using enum op_kind;
  using enum outcome;
  const row rows[] = {
      {reserve, 1, 0, rejected, reason::bad_quantity, false, {5, 0, 0}},
      {reserve, 1, 6, rejected, reason::sold_out, false, {5, 0, 0}},
      {reserve, 1, 3, ok, reason::none, true, {2, 3, 0}},
      {reserve, 2, 2, ok, reason::none, true, {0, 5, 0}},
      {confirm, 3, 0, rejected, reason::no_such_order, false, {0, 5, 0}},
      {confirm, 1, 0, ok, reason::none, true, {0, 2, 3}},
      {confirm, 1, 0, ok, reason::none, false, {0, 2, 3}},
      {expire, 1, 0, rejected, reason::order_closed, false, {0, 2, 3}},
      {cancel, 1, 0, ok, reason::none, true, {3, 2, 0}},
      {cancel, 1, 0, ok, reason::none, false, {3, 2, 0}},
      {confirm, 1, 0, rejected, reason::order_closed, false, {3, 2, 0}},
      {expire, 2, 0, ok, reason::none, true, {5, 0, 0}},
      {confirm, 2, 0, rejected, reason::order_closed, false, {5, 0, 0}},
      {cancel, 2, 0, rejected, reason::order_closed, false, {5, 0, 0}},
      {restock, 0, 4, ok, reason::none, true, {9, 0, 0}},
      {restock, 0, 0, rejected, reason::bad_quantity, false, {9, 0, 0}},
      {reserve, 2, 1, rejected, reason::order_exists, false, {9, 0, 0}},
      {read, 0, 0, ok, reason::none, false, {9, 0, 0}},
  };
  stock_model model{{.sku = 1, .shard = 0, .initial = 5, .holds = true}};
  for (const auto& r : rows) {
    CAPTURE(&r - rows);
    const auto answer = model.apply(r.kind, r.order, r.quantity);
    CHECK(answer == stock_model::answer{r.what, r.why, r.changes});
    CHECK(model.counts() == r.after);
    CHECK(model.is_balanced(model.counts()));
  }
}

TEST_CASE("stock model: without holds a reserve sells at once") {
  stock_model model{{.sku = 1, .shard = 0, .initial = 5, .holds = false}};
  model.apply(op_kind::reserve, 1, 2);
  CHECK(model.counts() == stock_counts{3, 0, 2});
}
