#include <doctest/doctest.h>

#include <algorithm>

#include "actors/agenda/agenda.hpp"
#include "actors/sku/names.hpp"
#include "test/support/kind_test_kit.hpp"

using namespace troupe;
using namespace troupe::agenda;
using namespace std::chrono_literals;
using sku::order_status;
using task::status;
using test::start_of_time;
using test::user;

namespace {

struct agenda_fixture : test::kind_fixture<agenda::kind> {
  agenda_fixture() : kind_fixture(to_string(user(1))) {}

  std::vector<std::string> titles(std::optional<status> in = std::nullopt) {
    std::vector<std::string> found;
    for (const auto& item : ask(list_tasks{in, {.limit = 100, .cursor = {}}}).items)
      found.push_back(item.title);
    return found;
  }
};

using titles = std::vector<std::string>;

/// The n-th task, made n seconds after the start; its title is its number.
task_changed nth_task(std::uint8_t number, std::uint64_t version = 1, status in = status::open) {
  return {.task = user(number),
          .version = version,
          .title = std::to_string(number),
          .status = in,
          .created_at = start_of_time + std::chrono::seconds{number},
          .updated_at = start_of_time + std::chrono::seconds{number + version}};
}

task_changed removal(std::uint8_t number, std::uint64_t version) {
  auto c = nth_task(number, version);
  c.is_removed = true;
  c.title.clear();
  return c;
}

order_changed nth_order(std::uint64_t number, order_status in, const std::string& sku = "phone") {
  return {make_numbered_uuid_v7(start_of_time + std::chrono::seconds{number}, 7, number), sku, 2, in};
}

}  // namespace

TEST_CASE("agenda: of a user who has nothing both lists are empty") {
  agenda_fixture f;
  CHECK(f.ask(list_tasks{}).items.empty());
  CHECK(f.ask(agenda::list_orders{}).items.empty());
}

TEST_CASE("agenda: tasks are listed newest first, all of them and by status") {
  agenda_fixture f;
  f.given(nth_task(2), nth_task(1), nth_task(3, 1, status::done));
  CHECK(f.titles() == titles{"3", "2", "1"});
  CHECK(f.titles(status::open) == titles{"2", "1"});
  CHECK(f.titles(status::done) == titles{"3"});
  CHECK(f.titles(status::cancelled).empty());
}

TEST_CASE("agenda: a task shows as its message said") {
  agenda_fixture f;
  auto c = nth_task(1, 4, status::in_progress);
  c.due_at = start_of_time + 1h;
  f.given(c);
  CHECK(f.ask(list_tasks{}).items == std::vector{task_summary{.id = to_string(user(1)),
                                                              .title = "1",
                                                              .user_id = user(1),
                                                              .status = status::in_progress,
                                                              .due_at = start_of_time + 1h,
                                                              .created_at = c.created_at,
                                                              .updated_at = c.updated_at,
                                                              .version = 4}});
}

TEST_CASE("agenda: a task that moves on leaves its old status") {
  agenda_fixture f;
  f.given(nth_task(1), nth_task(1, 2, status::done));
  CHECK(f.titles(status::open).empty());
  CHECK(f.titles(status::done) == titles{"1"});
  CHECK(f.titles() == titles{"1"});
}

TEST_CASE(
    "agenda: whatever order its messages come in, and however often, the last version of a task stands") {
  std::vector<task_changed> all = {nth_task(1), nth_task(1, 2, status::in_progress),
                                   nth_task(1, 3, status::done), removal(1, 4)};
  for (const std::size_t count : {3U, 4U}) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < count; ++i) order.push_back(i);
    do {
      agenda_fixture f;
      for (const auto i : order) f.given(all[i], all[order.front()]);
      CHECK(f.titles(status::done) == (count == 3 ? titles{"1"} : titles{}));
      CHECK(f.titles() == (count == 3 ? titles{"1"} : titles{}));
      CHECK(f.titles(status::open).empty());
      CHECK(f.titles(status::in_progress).empty());
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_CASE("agenda: an old message changes nothing") {
  agenda_fixture f;
  f.given(nth_task(1, 3, status::done), removal(2, 5));
  CHECK(f.when(nth_task(1, 3, status::open)).changes().empty());
  CHECK(f.when(nth_task(1, 2, status::open)).changes().empty());
  CHECK(f.when(nth_task(2, 4, status::open)).changes().empty());
}

TEST_CASE("agenda: lists page by cursors, by status too") {
  agenda_fixture f;
  for (std::uint8_t i = 1; i <= 5; ++i)
    f.given(nth_task(i), nth_task(static_cast<std::uint8_t>(i + 10), 1, status::done));
  const auto first = f.ask(list_tasks{status::open, {.limit = 3, .cursor = {}}});
  REQUIRE(first.items.size() == 3);
  CHECK(first.items[2].title == "3");
  REQUIRE(first.next_cursor);
  const auto second = f.ask(list_tasks{status::open, {.limit = 3, .cursor = *first.next_cursor}});
  REQUIRE(second.items.size() == 2);
  CHECK(second.items[1].title == "1");
  CHECK(second.next_cursor == std::nullopt);
}

TEST_CASE("agenda: a cursor of another list gives nothing of that other list") {
  agenda_fixture f;
  for (std::uint8_t i = 1; i <= 3; ++i) f.given(nth_task(i, 1, status::done));
  const auto of_done = f.ask(list_tasks{status::done, {.limit = 1, .cursor = {}}});
  REQUIRE(of_done.next_cursor);
  CHECK(f.ask(list_tasks{status::open, {.limit = 5, .cursor = *of_done.next_cursor}}).items.empty());
  CHECK(f.ask(list_tasks{status::done, {.limit = 5, .cursor = "garbage"}}).items.size() == 3);
}

TEST_CASE("agenda: an order costs one small row and no state") {
  agenda_fixture f;
  const auto told = f.when(nth_order(1, order_status::confirmed));
  REQUIRE(told.changes().rows.size() == 1);
  CHECK(told.changes().rows.front().table == table_no{4});
  CHECK(told.changes().rows.front().value->size() <= 4);
  CHECK(f.version() == 0);
}

TEST_CASE("agenda: orders are listed newest first, of all SKUs") {
  agenda_fixture f;
  f.given(nth_order(1, order_status::reserved), nth_order(3, order_status::confirmed, "case"),
          nth_order(2, order_status::reserved));
  const auto items = f.ask(agenda::list_orders{}).items;
  REQUIRE(items.size() == 3);
  CHECK(items[0].sku == "case");
  CHECK(items[1].arrival == 2);
  CHECK(items[2] == order_summary{.order_id = to_string(sku::order_name{"phone", nth_order(1, {}).order}),
                                  .sku = "phone",
                                  .quantity = 2,
                                  .status = order_status::reserved,
                                  .arrival = 1,
                                  .placed_at = start_of_time + 1s});
}

TEST_CASE("agenda: the latest status of an order wins, whichever comes first") {
  agenda_fixture f;
  f.given(nth_order(1, order_status::cancelled));
  CHECK(f.when(nth_order(1, order_status::confirmed)).changes().empty());
  CHECK(f.when(nth_order(1, order_status::cancelled)).changes().empty());
  f.given(nth_order(2, order_status::reserved), nth_order(2, order_status::expired));
  const auto items = f.ask(agenda::list_orders{}).items;
  REQUIRE(items.size() == 2);
  CHECK(items[0].status == order_status::expired);
  CHECK(items[1].status == order_status::cancelled);
}
