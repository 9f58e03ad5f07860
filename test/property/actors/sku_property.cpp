#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>

#include "actors/sku/sku.hpp"
#include "test/support/kind_test_kit.hpp"

using namespace troupe;
using namespace troupe::sku;
using test::user;

namespace {

/// Random buyers, admins and clocks at one SKU. Passivation is the fixture's doing.
struct market {
  test::kind_fixture<sku::kind> phone{"phone"};
  define definition;
  std::vector<uuid> orders;
  std::map<std::uint8_t, std::int64_t> limit_when_bought;

  explicit market(std::int64_t stock) {
    definition = {.name = "Phone", .stock = stock, .per_user_limit = 4, .hold_seconds = 10};
    phone.given(definition);
  }

  uuid some_order() const {
    if (orders.empty()) return {};
    return orders[*rc::gen::inRange<std::size_t>(0, orders.size())];
  }

  void place() {
    const auto buyer = *rc::gen::inRange<std::uint8_t>(1, 5);
    const auto placed = phone.when(place_order{user(buyer), *rc::gen::inRange<std::int64_t>(-1, 5)});
    if (placed.is_ok()) orders.push_back(placed.reply().order);
    // The limit may fall below what was bought; it must hold for every order that was accepted under it.
    if (placed.is_ok() && definition.per_user_limit) RC_ASSERT(units_of(buyer) <= *definition.per_user_limit);
  }
  void settle() {
    const caller by{user(*rc::gen::inRange<std::uint8_t>(1, 5)), *rc::gen::arbitrary<bool>()};
    if (*rc::gen::arbitrary<bool>()) {
      phone.when(confirm_order{some_order(), by});
    } else {
      phone.when(cancel_order{some_order(), by});
    }
  }
  void redefine() {
    definition.per_user_limit =
        *rc::gen::arbitrary<bool>() ? std::optional{*rc::gen::inRange<std::int64_t>(1, 9)} : std::nullopt;
    definition.hold_seconds =
        *rc::gen::arbitrary<bool>() ? std::optional{*rc::gen::inRange<std::int64_t>(1, 20)} : std::nullopt;
    phone.given(definition);
  }
  void step() {
    switch (*rc::gen::inRange(0, 10)) {
      case 0:
        phone.when(restock{*rc::gen::inRange<std::int64_t>(-1, 6)});
        break;
      case 1:
        redefine();
        break;
      case 2:
        phone.advance(std::chrono::seconds{*rc::gen::inRange(0, 15)});
        break;
      case 3:
        phone.advance_with_late_timers(std::chrono::seconds{*rc::gen::inRange(0, 15)});
        break;
      case 4:
      case 5:
      case 6:
        settle();
        break;
      default:
        place();
        break;
    }
  }

  std::vector<std::pair<std::uint64_t, order>> order_rows() const {
    return phone.rows<std::uint64_t, order>(table_no{1});
  }
  std::int64_t units_of(std::uint8_t number) const {
    std::int64_t units = 0;
    for (const auto& [arrival, row] : order_rows()) {
      const bool counts = row.status == order_status::reserved || row.status == order_status::confirmed;
      if (row.user == user(number) && counts) units += row.quantity;
    }
    return units;
  }

  void check() {
    const auto view = phone.ask(get_stock{});
    RC_ASSERT(view.available >= 0);
    RC_ASSERT(view.reserved >= 0);
    RC_ASSERT(view.sold >= 0);
    RC_ASSERT(view.initial + view.restocked == view.available + view.reserved + view.sold);
    std::map<order_status, std::int64_t> units;
    std::uint64_t next_arrival = 1;
    std::size_t holds = 0;
    for (const auto& [arrival, row] : order_rows()) {
      RC_ASSERT(arrival == next_arrival++);
      units[row.status] += row.quantity;
      holds += row.hold ? 1 : 0;
      RC_ASSERT(row.hold.has_value() == (row.status == order_status::reserved));
    }
    RC_ASSERT(next_arrival == orders.size() + 1);
    RC_ASSERT(units[order_status::reserved] == view.reserved);
    RC_ASSERT(units[order_status::confirmed] == view.sold);
    RC_ASSERT(phone.timer_count() == holds);
    for (const auto& [id, row] : phone.rows<user_id, buyer>(table_no{2}))
      RC_ASSERT(row.units == units_of(id.bytes[15]));
  }
};

}  // namespace

TEST_CASE("sku: whatever happens, units are conserved, arrivals have no gap and no order passes the limit") {
  CHECK(rc::check([] {
    market m{*rc::gen::inRange<std::int64_t>(0, 20)};
    const auto steps = *rc::gen::inRange(0, 60);
    for (int i = 0; i < steps; ++i) {
      m.step();
      m.check();
    }
  }));
}

TEST_CASE("sku: when all holds have run out nothing is reserved, and what is not sold is available") {
  CHECK(rc::check([] {
    market m{*rc::gen::inRange<std::int64_t>(0, 20)};
    const auto steps = *rc::gen::inRange(0, 40);
    for (int i = 0; i < steps; ++i) m.step();
    m.phone.advance(std::chrono::hours{1});
    const auto view = m.phone.ask(get_stock{});
    RC_ASSERT(view.reserved == 0);
    RC_ASSERT(view.available == view.initial + view.restocked - view.sold);
    RC_ASSERT(m.phone.timer_count() == 0U);
  }));
}
