#include <doctest/doctest.h>
#include <fmt/format.h>

#include "cli/flash_sale/checks.hpp"

using namespace troupe::flash_sale;

namespace {

/// Six buyers for four units: four orders, two refusals, everything as it should be.
sale_facts good_sale() {
  sale_facts f;
  f.stock = 4;
  f.view = {.available = 0, .reserved = 0, .sold = 4, .initial = 4, .restocked = 0};
  for (std::uint64_t i = 0; i < 6; ++i) {
    f.users.push_back(fmt::format("user-{}", i));
    outcome o;
    o.attempts = 1;
    if (i < 4) {
      o.decided = verdict::ordered;
      o.order_id = fmt::format("order-{}", i);
      o.arrival = i + 1;
      o.quantity = 1;
      f.listed.push_back({o.order_id, f.users[i], 1, "confirmed", i + 1});
    } else {
      o.decided = verdict::refused;
      o.reason = "sold-out";
    }
    f.outcomes.push_back(o);
  }
  return f;
}

/// The names of the checks that do not hold.
std::vector<std::string> violations(const sale_facts& f, check_state state = check_state::violated) {
  std::vector<std::string> names;
  for (const auto& c : check_sale(f)) {
    if (c.state == state) names.push_back(c.name);
  }
  return names;
}

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("checks: a good sale holds all of them") {
  CHECK(violations(good_sale()).empty());
  CHECK(violations(good_sale(), check_state::noted).empty());
  CHECK(count_duplicates(good_sale()) == 0);
}

TEST_CASE("checks: an order beyond the stock is found, even when the server admits it nowhere else") {
  auto f = good_sale();
  f.outcomes[4] = f.outcomes[3];
  f.outcomes[4].order_id = "order-4";
  f.outcomes[4].arrival = 5;
  f.listed.push_back({"order-4", "user-4", 1, "confirmed", 5});
  CHECK(violations(f) == names{"sold-is-min-of-demand-and-stock", "stock-adds-up"});
}

TEST_CASE("checks: a buyer who is refused while there is stock is found") {
  auto f = good_sale();
  f.outcomes[3] = f.outcomes[4];
  f.listed.pop_back();
  f.view.sold = 3;
  f.view.available = 1;
  CHECK(violations(f) == names{"sold-is-min-of-demand-and-stock"});
}

TEST_CASE("checks: an acknowledged order that is not in the list is found") {
  auto f = good_sale();
  f.listed.pop_back();
  CHECK(violations(f) ==
        names{"sold-is-min-of-demand-and-stock", "no-acknowledged-order-lost", "stock-adds-up"});
}

TEST_CASE("checks: an order that is listed with another arrival, user or quantity than told is found") {
  auto arrival = good_sale();
  std::swap(arrival.listed[0].arrival, arrival.listed[1].arrival);
  CHECK(violations(arrival) == names{"no-acknowledged-order-lost"});
  auto user = good_sale();
  user.listed[0].user_id = "user-5";
  CHECK(violations(user) == names{"no-acknowledged-order-lost"});
  auto quantity = good_sale();
  quantity.outcomes[0].quantity = 2;
  CHECK(violations(quantity) == names{"no-acknowledged-order-lost"});
}

TEST_CASE("checks: one order for two buyers is found") {
  auto f = good_sale();
  f.outcomes[1].order_id = f.outcomes[0].order_id;
  f.outcomes[1].arrival = f.outcomes[0].arrival;
  CHECK(count_duplicates(f) == 1);
  CHECK(violations(f) == names{"no-acknowledged-order-lost", "no-order-twice", "no-order-unaccounted-for"});
}

TEST_CASE("checks: an order that is listed twice is found") {
  auto f = good_sale();
  f.listed[3] = f.listed[2];
  CHECK(count_duplicates(f) == 1);
  CHECK(violations(f) == names{"no-acknowledged-order-lost", "no-order-twice", "arrivals-without-a-gap"});
}

TEST_CASE("checks: two orders of a buyer who asked once are found") {
  auto f = good_sale();
  f.stock = f.view.initial = 5;
  f.view.sold = 5;
  f.listed.push_back({"order-9", "user-0", 1, "confirmed", 5});
  CHECK(violations(f) == names{"no-order-twice", "no-order-unaccounted-for"});
}

TEST_CASE("checks: an order that nobody was told about is found") {
  auto f = good_sale();
  f.stock = f.view.initial = f.view.sold = 5;
  f.listed.push_back({"order-9", "stranger", 1, "confirmed", 5});
  CHECK(violations(f) == names{"no-order-unaccounted-for"});
}

TEST_CASE("checks: an order of a buyer who never got the answer is noted, not a violation") {
  auto f = good_sale();
  f.outcomes[3] = outcome{};
  CHECK(violations(f) == names{"everybody-answered"});
  CHECK(violations(f, check_state::noted) == names{"no-order-unaccounted-for"});
  f.losses_are_expected = true;
  CHECK(violations(f).empty());
  CHECK(violations(f, check_state::noted) == names{"everybody-answered", "no-order-unaccounted-for"});
}

TEST_CASE("checks: a buyer without an answer may have bought or not, but no more than one of the two") {
  auto f = good_sale();
  f.losses_are_expected = true;
  f.outcomes[4] = outcome{};
  CHECK(violations(f).empty());
  f.outcomes[4] = f.outcomes[5];
  f.outcomes[3] = outcome{};
  f.listed.pop_back();
  f.view = {.available = 1, .reserved = 0, .sold = 3, .initial = 4, .restocked = 0};
  // Two others were told that everything is sold, so three orders are too few.
  CHECK(violations(f) == names{"sold-is-min-of-demand-and-stock"});
}

TEST_CASE("checks: a gap and a wrong start of the arrival numbers are found") {
  auto gap = good_sale();
  gap.outcomes[3].arrival = gap.listed[3].arrival = 5;
  CHECK(violations(gap) == names{"arrivals-without-a-gap"});
  auto start = good_sale();
  for (std::size_t i = 0; i < 4; ++i) start.outcomes[i].arrival = start.listed[i].arrival = i;
  CHECK(violations(start) == names{"arrivals-without-a-gap"});
}

TEST_CASE("checks: a stock that does not add up, is below zero, or is another one is found") {
  auto lost_unit = good_sale();
  lost_unit.view.sold = 3;
  CHECK(violations(lost_unit) == names{"stock-adds-up"});
  auto negative = good_sale();
  negative.view.available = -1;
  negative.view.sold = 5;
  CHECK(violations(negative) == names{"stock-adds-up"});
  auto other = good_sale();
  other.view.initial = 5;
  other.view.available = 1;
  CHECK(violations(other) == names{"stock-adds-up"});
  auto restocked = good_sale();
  restocked.view.restocked = 2;
  restocked.view.available = 2;
  CHECK(violations(restocked).empty());
}

TEST_CASE("checks: a user with more than the limit is found, and the limit counts as demand") {
  auto f = good_sale();
  f.per_user_limit = 1;
  CHECK(violations(f).empty());
  f.users[1] = f.listed[1].user_id = "user-0";
  CHECK(violations(f) == names{"per-user-limit-held"});
}

TEST_CASE("checks: refusals by the limit are fine when the account has bought as much as it may") {
  auto f = good_sale();
  f.per_user_limit = 1;
  f.stock = f.view.initial = 10;
  f.view.available = 6;
  f.users[4] = f.users[5] = "user-0";
  f.outcomes[4].reason = f.outcomes[5].reason = "limit-reached";
  CHECK(violations(f).empty());
}

TEST_CASE("checks: a refusal that has nothing to do with the stock is found") {
  auto f = good_sale();
  f.outcomes[5].reason = "rate-limited";
  CHECK(violations(f) == names{"everybody-answered"});
}

TEST_CASE("checks: orders that gave their units back do not count as sold") {
  auto f = good_sale();
  f.listed[0].status = "expired";
  f.view = {.available = 1, .reserved = 3, .sold = 0, .initial = 4, .restocked = 0};
  CHECK(violations(f).empty());
}

TEST_CASE("checks: units that do not fill another order may stay") {
  auto f = good_sale();
  f.quantity = 3;
  f.stock = f.view.initial = 14;
  f.view.sold = 12;
  f.view.available = 2;
  for (std::size_t i = 0; i < 4; ++i) f.outcomes[i].quantity = f.listed[i].quantity = 3;
  CHECK(violations(f).empty());
}
