#include <doctest/doctest.h>

#include "actors/agenda/agenda.hpp"
#include "actors/inbox/inbox.hpp"
#include "actors/sku/names.hpp"
#include "actors/sku/sku.hpp"
#include "test/support/kind_test_kit.hpp"

using namespace troupe;
using namespace troupe::sku;
using namespace std::chrono_literals;
using test::start_of_time;
using test::user;

namespace {

struct phone : test::kind_fixture<sku::kind> {
  explicit phone(const define& d) : kind_fixture("phone") { given(d); }

  /// available, reserved, sold
  std::vector<std::int64_t> balance() {
    const auto view = ask(get_stock{});
    return {view.available, view.reserved, view.sold};
  }
  std::int64_t units_of(std::uint8_t number) {
    for (const auto& [id, row] : rows<user_id, buyer>(table_no{2})) {
      if (id == user(number)) return row.units;
    }
    return -1;
  }
};

using balance = std::vector<std::int64_t>;
constexpr caller admin{.user = {}, .is_admin = true};
caller as(std::uint8_t number) { return {user(number), false}; }

define of_stock(std::int64_t stock) { return {.name = "Phone", .stock = stock}; }
define with_hold(std::int64_t stock, std::int64_t seconds) {
  return {.name = "Phone", .stock = stock, .hold_seconds = seconds};
}

}  // namespace

TEST_CASE("sku: what was never defined is refused everything") {
  test::kind_fixture<sku::kind> f{"phone"};
  CHECK(f.when(get_stock{}).refused(refusal::no_such_sku));
  CHECK(f.when(restock{1}).refused(refusal::no_such_sku));
  CHECK(f.when(place_order{user(1), 1}).refused(refusal::no_such_sku));
  CHECK(f.when(list_orders{}).refused(refusal::no_such_sku));
  CHECK(f.when(get_order{uuid{}, admin}).refused(refusal::no_such_order));
  CHECK(f.version() == 0);
}

TEST_CASE("sku: creating it sets the stock and all that was said") {
  test::kind_fixture<sku::kind> f{"phone"};
  const auto view = f.ask(define{"Phone 15", 10, 2, 60, timestamp{5}, 99'900});
  const stock_view expected{.sku = "phone",
                            .name = "Phone 15",
                            .available = 10,
                            .initial = 10,
                            .per_user_limit = 2,
                            .hold_seconds = 60,
                            .opens_at = timestamp{5},
                            .price = 99'900,
                            .version = 1};
  CHECK(view == expected);
  CHECK(f.ask(get_stock{}) == expected);
}

TEST_CASE("sku: a later definition changes all but the stock, and leaves out what it does not say") {
  phone f{{.name = "Phone", .stock = 10, .per_user_limit = 2, .price = 5}};
  f.given(place_order{user(1), 2});
  const auto view = f.ask(define{.name = "Telephone", .stock = 10});
  CHECK(view.name == "Telephone");
  CHECK(view.per_user_limit == std::nullopt);
  CHECK(view.price == std::nullopt);
  CHECK(view.available == 8);
  CHECK(view.version == 3);
}

TEST_CASE("sku: a later definition with another stock is refused, before and after sales") {
  phone f{of_stock(10)};
  CHECK(f.when(of_stock(11)).refused(refusal::stock_is_set));
  f.given(place_order{user(1), 1}, restock{5});
  CHECK(f.when(of_stock(9)).refused(refusal::stock_is_set));
  CHECK(f.when(of_stock(14)).refused(refusal::stock_is_set));
  CHECK(f.ask(of_stock(10)).available == 14);
}

TEST_CASE("sku: a definition out of range is refused") {
  const std::vector<define> bad = {
      {.name = "", .stock = 1},
      {.name = std::string(201, 'x'), .stock = 1},
      {.name = "a", .stock = -1},
      {.name = "a", .stock = stock_max + 1},
      {.name = "a", .stock = 1, .per_user_limit = 0},
      {.name = "a", .stock = 1, .per_user_limit = stock_max + 1},
      {.name = "a", .stock = 1, .hold_seconds = 0},
      {.name = "a", .stock = 1, .hold_seconds = hold_seconds_max + 1},
      {.name = "a", .stock = 1, .price = -1},
      {.name = "a", .stock = 1, .price = price_max + 1},
  };
  for (std::size_t row = 0; row < bad.size(); ++row) {
    CAPTURE(row);
    test::kind_fixture<sku::kind> f{"phone"};
    CHECK(f.when(bad[row]).refused(refusal::bad_definition));
  }
}

TEST_CASE("sku: definitions at the bounds are accepted") {
  const std::vector<define> good = {
      {.name = std::string(200, 'x'), .stock = 0},
      {.name = "ü", .stock = stock_max, .per_user_limit = 1, .hold_seconds = 1, .price = 0},
      {.name = "a",
       .stock = 1,
       .per_user_limit = stock_max,
       .hold_seconds = hold_seconds_max,
       .price = price_max},
  };
  for (std::size_t row = 0; row < good.size(); ++row) {
    CAPTURE(row);
    test::kind_fixture<sku::kind> f{"phone"};
    CHECK(f.when(good[row]).is_ok());
  }
}

TEST_CASE("sku: a name of 200 characters may have more bytes") {
  std::string name;
  for (int i = 0; i < 200; ++i) name += "ü";
  CHECK(test::kind_fixture<sku::kind>{"phone"}.when(define{.name = name, .stock = 1}).is_ok());
  CHECK(test::kind_fixture<sku::kind>{"phone"}
            .when(define{.name = name + "u", .stock = 1})
            .refused(refusal::bad_definition));
}

TEST_CASE("sku: restock adds units and keeps what was initial") {
  phone f{of_stock(0)};
  CHECK(f.ask(get_stock{}).sold_out);
  const auto view = f.ask(restock{7});
  CHECK(view.available == 7);
  CHECK(view.initial == 0);
  CHECK(view.restocked == 7);
  CHECK_FALSE(view.sold_out);
}

TEST_CASE("sku: restock is bounded each time and in sum") {
  phone f{of_stock(5)};
  CHECK(f.when(restock{0}).refused(refusal::bad_quantity));
  CHECK(f.when(restock{-1}).refused(refusal::bad_quantity));
  CHECK(f.when(restock{stock_max + 1}).refused(refusal::bad_quantity));
  CHECK(f.when(restock{INT64_MAX}).refused(refusal::bad_quantity));
  CHECK(f.when(restock{stock_max - 4}).refused(refusal::stock_limit));
  CHECK(f.when(restock{stock_max - 5}).is_ok());
  CHECK(f.when(restock{1}).refused(refusal::stock_limit));
  CHECK(f.balance() == balance{stock_max, 0, 0});
}

TEST_CASE("sku: an order without a hold is confirmed and sold at once") {
  phone f{of_stock(3)};
  const auto placed = f.when(place_order{user(1), 2});
  const auto r = placed.reply();
  CHECK(r.sku == "phone");
  CHECK(r.user == user(1));
  CHECK(r.quantity == 2);
  CHECK(r.status == order_status::confirmed);
  CHECK(r.arrival() == 1);
  CHECK(time_in(r.order) == start_of_time);
  CHECK(r.expires_at == std::nullopt);
  CHECK(f.balance() == balance{1, 0, 2});
  CHECK(f.timer_count() == 0);
}

TEST_CASE("sku: an order writes the state, one order row and one buyer row, and sends one message") {
  phone f{of_stock(3)};
  const auto placed = f.when(place_order{user(1), 2});
  CHECK(placed.changes().rows.size() == 3);
  CHECK(placed.changes().sends.size() == 1);
  CHECK(placed.changes().sends.front().target.key == to_string(user(1)));
  CHECK(placed.sent<agenda::kind, agenda::order_changed>() ==
        std::vector{agenda::order_changed{placed.reply().order, "phone", 2, order_status::confirmed}});
}

TEST_CASE("sku: an order with a hold reserves its units and sets one timer") {
  phone f{with_hold(3, 60)};
  const auto placed = f.when(place_order{user(1), 2});
  CHECK(placed.reply().status == order_status::reserved);
  CHECK(placed.reply().expires_at == start_of_time + 60s);
  CHECK(placed.changes().rows.size() == 3);
  CHECK(placed.changes().sends.size() == 1);
  CHECK(placed.changes().timers_set.size() == 1);
  CHECK(f.balance() == balance{1, 2, 0});
}

TEST_CASE("sku: quantities are 1 to a million") {
  phone f{of_stock(2'000'000)};
  for (const std::int64_t quantity :
       {std::int64_t{0}, std::int64_t{-1}, quantity_max + 1, INT64_MAX, INT64_MIN}) {
    CAPTURE(quantity);
    CHECK(f.when(place_order{user(1), quantity}).refused(refusal::bad_quantity));
  }
  CHECK(f.when(place_order{user(1), 1}).is_ok());
  CHECK(f.when(place_order{user(1), quantity_max}).is_ok());
}

TEST_CASE("sku: an order beyond the stock is refused and changes nothing") {
  phone f{of_stock(3)};
  CHECK(f.when(place_order{user(1), 4}).refused(refusal::sold_out));
  CHECK(f.balance() == balance{3, 0, 0});
  CHECK(f.when(place_order{user(1), 3}).is_ok());
  CHECK(f.ask(get_stock{}).sold_out);
  CHECK(f.when(place_order{user(2), 1}).refused(refusal::sold_out));
}

TEST_CASE("sku: arrivals count accepted orders only") {
  phone f{of_stock(3)};
  CHECK(f.ask(place_order{user(1), 1}).arrival() == 1);
  CHECK(f.when(place_order{user(2), 9}).refused(refusal::sold_out));
  CHECK(f.ask(place_order{user(2), 1}).arrival() == 2);
  CHECK(f.when(place_order{user(2), 0}).refused(refusal::bad_quantity));
  CHECK(f.ask(place_order{user(1), 1}).arrival() == 3);
}

TEST_CASE("sku: the limit counts all orders of one user and nobody else's") {
  phone f{{.name = "Phone", .stock = 100, .per_user_limit = 3}};
  CHECK(f.when(place_order{user(1), 4}).refused(refusal::limit_reached));
  f.given(place_order{user(1), 2});
  CHECK(f.when(place_order{user(1), 2}).refused(refusal::limit_reached));
  f.given(place_order{user(1), 1}, place_order{user(2), 3});
  CHECK(f.when(place_order{user(1), 1}).refused(refusal::limit_reached));
}

TEST_CASE("sku: a limit that is set later counts what was bought before") {
  phone f{of_stock(100)};
  f.given(place_order{user(1), 5}, define{.name = "Phone", .stock = 100, .per_user_limit = 5});
  CHECK(f.when(place_order{user(1), 1}).refused(refusal::limit_reached));
  f.given(define{.name = "Phone", .stock = 100, .per_user_limit = 2});
  CHECK(f.when(place_order{user(1), 1}).refused(refusal::limit_reached));
  f.given(define{.name = "Phone", .stock = 100, .per_user_limit = 6}, place_order{user(1), 1});
  CHECK(f.units_of(1) == 6);
}

TEST_CASE("sku: units that go back no longer count against the limit") {
  phone f{{.name = "Phone", .stock = 10, .per_user_limit = 2, .hold_seconds = 60}};
  const auto first = f.ask(place_order{user(1), 2});
  f.given(cancel_order{first.order, as(1)}, place_order{user(1), 2});
  CHECK(f.when(place_order{user(1), 1}).refused(refusal::limit_reached));
  f.advance(60s);
  CHECK(f.units_of(1) == 0);
  CHECK(f.when(place_order{user(1), 2}).is_ok());
}

TEST_CASE("sku: before the opening time orders are refused with that time") {
  phone f{{.name = "Phone", .stock = 1, .opens_at = start_of_time + 10s}};
  const auto early = f.when(place_order{user(1), 1});
  CHECK(early.refused(refusal::sale_not_open));
  CHECK(early.rejected().fields == std::vector<problem_field>{{"opensAt", "2026-01-31T09:30:10.000Z"}});
  f.advance(9'999ms);
  CHECK(f.when(place_order{user(1), 1}).refused(refusal::sale_not_open));
  f.advance(1ms);
  CHECK(f.when(place_order{user(1), 1}).is_ok());
}

TEST_CASE("sku: confirming a reserved order sells it and stops its timer") {
  phone f{with_hold(5, 60)};
  const auto placed = f.ask(place_order{user(1), 2});
  const auto confirmed = f.when(confirm_order{placed.order, as(1)});
  CHECK(confirmed.reply().status == order_status::confirmed);
  CHECK(confirmed.reply().expires_at == std::nullopt);
  CHECK(confirmed.sent<agenda::kind, agenda::order_changed>().size() == 1);
  CHECK(confirmed.changes().sends.size() == 1);
  CHECK(f.timer_count() == 0);
  CHECK(f.balance() == balance{3, 0, 2});
  CHECK(f.advance(1h).empty());
}

TEST_CASE("sku: confirming twice is the same as once") {
  phone f{with_hold(5, 60)};
  const auto placed = f.ask(place_order{user(1), 2});
  f.given(confirm_order{placed.order, as(1)});
  const auto again = f.when(confirm_order{placed.order, as(1)});
  CHECK(again.reply().status == order_status::confirmed);
  CHECK(again.changes().empty());
}

TEST_CASE("sku: a hold that runs out gives its units back and tells agenda and inbox") {
  phone f{with_hold(5, 60)};
  const auto placed = f.ask(place_order{user(1), 2});
  CHECK(f.advance(59'999ms).empty());
  CHECK(f.balance() == balance{3, 2, 0});
  const auto fired = f.advance(1ms);
  REQUIRE(fired.size() == 1);
  CHECK(f.balance() == balance{5, 0, 0});
  CHECK(fired.front().changes().sends.size() == 2);
  CHECK(fired.front().sent<agenda::kind, agenda::order_changed>() ==
        std::vector{agenda::order_changed{placed.order, "phone", 2, order_status::expired}});
  const auto notes = fired.front().sent<inbox::kind, inbox::notify>();
  REQUIRE(notes.size() == 1);
  CHECK(notes.front().type == "order_expired");
  CHECK(notes.front().subject == to_string(order_name{"phone", placed.order}));
  CHECK(f.ask(get_order{placed.order, as(1)}).status == order_status::expired);
}

TEST_CASE("sku: an expired order can neither be confirmed nor cancelled") {
  phone f{with_hold(5, 60)};
  const auto placed = f.ask(place_order{user(1), 2});
  f.advance(60s);
  CHECK(f.when(confirm_order{placed.order, as(1)}).refused(refusal::order_closed));
  CHECK(f.when(cancel_order{placed.order, as(1)}).refused(refusal::order_closed));
}

TEST_CASE("sku: an expiry that comes twice, late or for no order does nothing") {
  phone f{with_hold(5, 60)};
  const auto first = f.ask(place_order{user(1), 2});
  f.given(confirm_order{first.order, as(1)});
  CHECK(f.when(expire_hold{1}).changes().empty());
  CHECK(f.when(expire_hold{2}).changes().empty());
  CHECK(f.balance() == balance{3, 0, 2});
}

TEST_CASE("sku: cancelling a reserved order returns its units") {
  phone f{with_hold(5, 60)};
  const auto placed = f.ask(place_order{user(1), 2});
  const auto cancelled = f.when(cancel_order{placed.order, as(1)});
  CHECK(cancelled.reply().status == order_status::cancelled);
  CHECK(cancelled.changes().sends.size() == 1);
  CHECK(f.balance() == balance{5, 0, 0});
  CHECK(f.timer_count() == 0);
  CHECK(f.when(cancel_order{placed.order, as(1)}).changes().empty());
  CHECK(f.when(confirm_order{placed.order, as(1)}).refused(refusal::order_closed));
}

TEST_CASE("sku: cancelling a confirmed order takes it out of what was sold") {
  phone f{of_stock(5)};
  const auto placed = f.ask(place_order{user(1), 2});
  CHECK(f.balance() == balance{3, 0, 2});
  f.given(cancel_order{placed.order, as(1)});
  CHECK(f.balance() == balance{5, 0, 0});
  CHECK(f.units_of(1) == 0);
}

TEST_CASE("sku: an order of somebody else looks like none, but an admin sees it") {
  phone f{with_hold(5, 60)};
  const auto placed = f.ask(place_order{user(1), 2});
  CHECK(f.when(get_order{placed.order, as(2)}).refused(refusal::no_such_order));
  CHECK(f.when(confirm_order{placed.order, as(2)}).refused(refusal::no_such_order));
  CHECK(f.when(cancel_order{placed.order, as(2)}).refused(refusal::no_such_order));
  CHECK(f.ask(get_order{placed.order, as(1)}) == placed);
  CHECK(f.ask(get_order{placed.order, admin}) == placed);
  CHECK(f.when(confirm_order{placed.order, admin}).is_ok());
}

TEST_CASE("sku: an id with the number of an order but not its id finds nothing") {
  phone f{of_stock(5)};
  auto id = f.ask(place_order{user(1), 1}).order;
  id.bytes[0] ^= 1;
  CHECK(f.when(get_order{id, admin}).refused(refusal::no_such_order));
  CHECK(f.when(get_order{uuid{}, admin}).refused(refusal::no_such_order));
}

TEST_CASE("sku: a confirmation at the end of the hold is refused even while the timer is late") {
  phone f{with_hold(5, 60)};
  const auto placed = f.ask(place_order{user(1), 2});
  f.advance_with_late_timers(60s);
  CHECK(f.when(confirm_order{placed.order, as(1)}).refused(refusal::hold_expired));
  CHECK(f.balance() == balance{3, 2, 0});
  CHECK(f.advance(0ms).size() == 1);
  CHECK(f.balance() == balance{5, 0, 0});
}

TEST_CASE("sku: an order keeps the hold that it was placed with") {
  phone f{with_hold(5, 60)};
  const auto placed = f.ask(place_order{user(1), 2});
  f.given(with_hold(5, 600));
  CHECK(f.ask(get_order{placed.order, as(1)}).expires_at == start_of_time + 60s);
  f.advance_with_late_timers(59'999ms);
  CHECK(f.when(confirm_order{placed.order, as(1)}).is_ok());
}

TEST_CASE("sku: orders are listed by arrival, page by page") {
  phone f{of_stock(10)};
  for (std::uint8_t i = 1; i <= 5; ++i) f.given(place_order{user(i), 1});
  const auto first = f.ask(list_orders{{.limit = 2, .cursor = {}}});
  REQUIRE(first.items.size() == 2);
  CHECK(first.items[0].arrival() == 1);
  CHECK(first.items[1].arrival() == 2);
  REQUIRE(first.next_cursor);
  const auto second = f.ask(list_orders{{.limit = 3, .cursor = *first.next_cursor}});
  REQUIRE(second.items.size() == 3);
  CHECK(second.items[0].arrival() == 3);
  CHECK(second.items[2].arrival() == 5);
  CHECK(second.next_cursor == std::nullopt);
}

TEST_CASE("sku: If-Match of another version changes nothing") {
  phone f{of_stock(5)};
  CHECK(f.when(restock{1}, 7).status() == outcome::status::version_mismatch);
  CHECK(f.when(restock{1}, 1).is_ok());
  CHECK(f.version() == 2);
}

TEST_CASE("sku: names are letters, digits, dash and underscore, and begin with a letter or digit") {
  for (const std::string good :
       {"a", "7", "iphone-15", "A_b-C", "x123456789012345678901234567890123456789012345678901234567890123"}) {
    CAPTURE(good);
    CHECK(is_sku_name(good));
  }
  for (const std::string bad : {"", "-a", "_a", "a.b", "a b", "a/b", "ü", "a\n",
                                "x1234567890123456789012345678901234567890123456789012345678901234"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_sku_name(bad));
  }
}

TEST_CASE("sku: the name of an order is its SKU and its id, and nothing else parses") {
  const order_name name{"iphone-15", user(7)};
  CHECK(to_string(name) == "iphone-15.00000000-0000-4000-8000-000000000007");
  CHECK(parse_order_name(to_string(name)) == name);
  for (const std::string bad : {"", ".", "iphone-15", "iphone-15.", ".00000000-0000-4000-8000-000000000007",
                                "a.b.00000000-0000-4000-8000-000000000007", "iphone-15.7",
                                "iphone-15.00000000-0000-4000-8000-000000000007x"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_order_name(bad));
  }
}
