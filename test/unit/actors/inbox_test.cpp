#include <doctest/doctest.h>

#include "actors/inbox/inbox.hpp"
#include "actors/inbox/names.hpp"
#include "test/support/kind_test_kit.hpp"

using namespace troupe;
using namespace troupe::inbox;
using namespace std::chrono_literals;
using test::start_of_time;
using test::user;

namespace {

struct inbox_fixture : test::kind_fixture<inbox::kind> {
  inbox_fixture() : kind_fixture(to_string(user(1))) {}

  void notify_times(int count) {
    for (int i = 0; i < count; ++i) given(notify{.type = "test", .title = std::to_string(++sent_)});
  }
  std::vector<std::string> titles(selection which, std::uint64_t limit = 100) {
    std::vector<std::string> found;
    for (const auto& item : ask(list{which, {.limit = limit, .cursor = {}}}).items)
      found.push_back(item.title);
    return found;
  }
  /// The id of the n-th notification of all, 1 being the first that came.
  uuid id_of(const std::string& title) {
    for (const auto& item : ask(list{selection::everything, {.limit = 100, .cursor = {}}}).items) {
      if (item.title == title) return parse_notification_name(item.id)->id;
    }
    return {};
  }
  std::uint64_t unread() { return ask(get_unread_count{}).unread_count; }

 private:
  int sent_ = 0;
};

using titles = std::vector<std::string>;

}  // namespace

TEST_CASE("inbox: what nobody has written to is empty") {
  inbox_fixture f;
  CHECK(f.titles(selection::everything).empty());
  CHECK(f.titles(selection::unread).empty());
  CHECK(f.unread() == 0);
  CHECK(f.when(read_all{}).changes().empty());
  CHECK(f.when(mark_read{user(9)}).refused(refusal::no_such_notification));
  CHECK(f.when(inbox::remove{user(9)}).refused(refusal::no_such_notification));
}

TEST_CASE("inbox: a notification is kept as it was sent, unread, with an id that names the inbox") {
  inbox_fixture f;
  f.given(notify{"task_created", "New task", "Write it", "some-task"},
          notify{.type = "bare", .title = "No more"});
  const auto items = f.ask(list{}).items;
  REQUIRE(items.size() == 2);
  CHECK(items[1].type == "task_created");
  CHECK(items[1].title == "New task");
  CHECK(items[1].body == "Write it");
  CHECK(items[1].subject == "some-task");
  CHECK(items[1].user_id == user(1));
  CHECK(items[1].created_at == start_of_time);
  CHECK_FALSE(items[1].read);
  CHECK(items[0].subject == std::nullopt);
  CHECK(parse_notification_name(items[0].id)->user == user(1));
  CHECK(items[0].id != items[1].id);
}

TEST_CASE("inbox: the newest comes first, in any number of pages") {
  inbox_fixture f;
  f.notify_times(5);
  CHECK(f.titles(selection::everything) == titles{"5", "4", "3", "2", "1"});
  const auto first = f.ask(list{selection::everything, {.limit = 2, .cursor = {}}});
  REQUIRE(first.next_cursor);
  const auto second = f.ask(list{selection::everything, {.limit = 3, .cursor = *first.next_cursor}});
  REQUIRE(second.items.size() == 3);
  CHECK(second.items.front().title == "3");
  CHECK(second.next_cursor == std::nullopt);
}

TEST_CASE("inbox: reading one takes it from the unread list and lowers the count once") {
  inbox_fixture f;
  f.notify_times(3);
  const auto id = f.id_of("2");
  CHECK(f.ask(mark_read{id}).read);
  CHECK(f.unread() == 2);
  const auto again = f.when(mark_read{id});
  CHECK(again.reply().read);
  CHECK(again.changes().empty());
  CHECK(f.unread() == 2);
  CHECK(f.titles(selection::unread) == titles{"3", "1"});
  CHECK(f.titles(selection::everything) == titles{"3", "2", "1"});
}

TEST_CASE("inbox: reading all leaves none unread at once, and what comes later is unread") {
  inbox_fixture f;
  f.notify_times(3);
  CHECK(f.ask(read_all{}).unread_count == 0);
  CHECK(f.unread() == 0);
  CHECK(f.titles(selection::unread).empty());
  CHECK(f.ask(list{}).items.front().read);
  f.notify_times(1);
  CHECK(f.unread() == 1);
  CHECK(f.titles(selection::unread) == titles{"4"});
  CHECK(f.when(mark_read{f.id_of("2")}).changes().empty());
}

TEST_CASE("inbox: reading all writes one row and one message, however many there are") {
  inbox_fixture f;
  f.notify_times(300);
  const auto all = f.when(read_all{});
  CHECK(all.changes().rows.size() == 1);
  CHECK(all.changes().sends.size() == 1);
  CHECK(f.when(read_all{}).changes().empty());
}

TEST_CASE("inbox: sweeps take stale index rows away, a bounded number each, and touch nothing else") {
  inbox_fixture f;
  f.notify_times(1'200);
  f.given(read_all{});
  f.notify_times(2);
  for (const std::size_t left : {702U, 202U, 2U}) {
    const auto swept = f.when(sweep{});
    CHECK(swept.changes().rows.size() <= sweep_rows_max);
    CHECK(f.rows<std::uint64_t, present>(table_no{2}).size() == left);
    CHECK(swept.sent<inbox::kind, sweep>().size() == (left > 2 ? 1 : 0));
    CHECK(f.unread() == 2);
  }
  CHECK(f.when(sweep{}).changes().empty());
  CHECK(f.titles(selection::unread) == titles{"1202", "1201"});
}

TEST_CASE("inbox: the unread list pages right up to its end, with stale rows behind it") {
  inbox_fixture f;
  f.notify_times(3);
  f.given(read_all{});
  f.notify_times(4);
  const auto first = f.ask(list{selection::unread, {.limit = 2, .cursor = {}}});
  REQUIRE(first.next_cursor);
  const auto second = f.ask(list{selection::unread, {.limit = 2, .cursor = *first.next_cursor}});
  REQUIRE(second.items.size() == 2);
  CHECK(second.items[0].title == "5");
  CHECK(second.items[1].title == "4");
  CHECK(second.next_cursor == std::nullopt);
}

TEST_CASE("inbox: deleting an unread one lowers the count, deleting a read one does not") {
  inbox_fixture f;
  f.notify_times(4);
  f.given(mark_read{f.id_of("1")}, inbox::remove{f.id_of("1")});
  CHECK(f.unread() == 3);
  const auto id = f.id_of("2");
  f.given(inbox::remove{id});
  CHECK(f.unread() == 2);
  CHECK(f.when(inbox::remove{id}).refused(refusal::no_such_notification));
  f.given(read_all{}, inbox::remove{f.id_of("3")});
  CHECK(f.unread() == 0);
  CHECK(f.titles(selection::everything) == titles{"4"});
}

TEST_CASE("inbox: an id of another time or number finds nothing") {
  inbox_fixture f;
  f.notify_times(1);
  auto id = f.id_of("1");
  id.bytes[3] ^= 1;
  CHECK(f.when(mark_read{id}).refused(refusal::no_such_notification));
  id.bytes[3] ^= 1;
  id.bytes[15] ^= 2;
  CHECK(f.when(mark_read{id}).refused(refusal::no_such_notification));
}

TEST_CASE("inbox: past its bound the oldest make room, and the count stays right") {
  inbox_fixture f;
  f.notify_times(static_cast<int>(kept_max));
  const auto first = f.rows<std::uint64_t, notification>(table_no{1}).front().first;
  CHECK(first == 1);
  CHECK(f.unread() == kept_max);

  f.notify_times(1);
  CHECK(f.unread() == kept_max);
  CHECK(f.rows<std::uint64_t, notification>(table_no{1}).size() == kept_max);
  CHECK(f.rows<std::uint64_t, notification>(table_no{1}).front().first == 2);

  f.given(read_all{});
  f.notify_times(2);
  CHECK(f.unread() == 2);
  CHECK(f.rows<std::uint64_t, notification>(table_no{1}).front().first == 4);
  CHECK(f.rows<std::uint64_t, notification>(table_no{1}).size() == kept_max);
}

TEST_CASE("inbox: the name of a notification is its user and its id, and nothing else parses") {
  const notification_name name{user(1), user(2)};
  CHECK(to_string(name) == "00000000-0000-4000-8000-000000000001.00000000-0000-4000-8000-000000000002");
  CHECK(parse_notification_name(to_string(name)) == name);
  for (const std::string bad :
       {"", ".", "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000001.",
        "x.00000000-0000-4000-8000-000000000001"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_notification_name(bad));
  }
}
