#include <doctest/doctest.h>

#include "actors/agenda/agenda.hpp"
#include "actors/inbox/inbox.hpp"
#include "actors/task/task.hpp"
#include "test/support/kind_test_kit.hpp"

using namespace troupe;
using namespace troupe::task;
using namespace std::chrono_literals;
using test::start_of_time;
using test::user;

namespace {

const std::string task_key = "0190a000-0000-7000-8000-000000000001";
caller as(std::uint8_t number) { return {user(number), false}; }
constexpr caller admin{.user = {}, .is_admin = true};

create for_user_1() {
  return {.title = "Write", .description = "all of it", .user = user(1), .creator = user(2)};
}

struct task_fixture : test::kind_fixture<task::kind> {
  task_fixture() : kind_fixture(task_key) {}
  explicit task_fixture(const create& c) : kind_fixture(task_key) { given(c); }
};

create due_in(std::chrono::milliseconds delay) {
  auto c = for_user_1();
  c.due_at = start_of_time + delay;
  return c;
}

change to_status(status s) { return {.by = as(1), .status = s}; }
change to_due(std::chrono::milliseconds delay) { return {.by = as(1), .due_at = start_of_time + delay}; }

}  // namespace

TEST_CASE("task: what was never created is refused everything") {
  task_fixture f;
  CHECK(f.when(get_task{admin}).refused(refusal::no_such_task));
  CHECK(f.when(change{.by = admin}).refused(refusal::no_such_task));
  CHECK(f.when(task::remove{admin}).refused(refusal::no_such_task));
  CHECK(f.when(remind{start_of_time}).changes().empty());
}

TEST_CASE("task: creating it keeps what was said, and tells the user's inbox and agenda") {
  task_fixture f;
  const auto created = f.when(due_in(1h));
  const task_view expected{.id = task_key,
                           .title = "Write",
                           .description = "all of it",
                           .user_id = user(1),
                           .creator_id = user(2),
                           .status = status::open,
                           .due_at = start_of_time + 1h,
                           .created_at = start_of_time,
                           .updated_at = start_of_time,
                           .version = 1};
  CHECK(created.reply() == expected);
  CHECK(f.ask(get_task{as(1)}) == expected);
  CHECK(created.sent<inbox::kind, inbox::notify>() ==
        std::vector{inbox::notify{"task_created", "New task: Write", "", task_key}});
  CHECK(created.sent<agenda::kind, agenda::task_changed>() ==
        std::vector{agenda::task_changed{.task = *parse_uuid(task_key),
                                         .version = 1,
                                         .title = "Write",
                                         .status = status::open,
                                         .due_at = start_of_time + 1h,
                                         .created_at = start_of_time,
                                         .updated_at = start_of_time}});
  for (const auto& send : created.changes().sends) CHECK(send.target.key == to_string(user(1)));
}

TEST_CASE("task: an id can be created once, even after its removal") {
  task_fixture f{for_user_1()};
  CHECK(f.when(for_user_1()).refused(refusal::task_exists));
  f.given(task::remove{as(1)});
  CHECK(f.when(for_user_1()).refused(refusal::task_exists));
}

TEST_CASE("task: titles are 1 to 200 characters, descriptions up to 10,000") {
  auto c = for_user_1();
  for (const auto& [title, description] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {" \n", ""}, {std::string(201, 'x'), ""}, {"x", std::string(10'001, 'x')}}) {
    c.title = title;
    c.description = description;
    CHECK(task_fixture{}.when(c).refused(refusal::bad_text));
    task_fixture f{for_user_1()};
    CHECK(f.when(change{.by = as(1), .title = title, .description = description}).refused(refusal::bad_text));
  }
  c.title = std::string(200, 'x');
  c.description = std::string(10'000, 'x');
  CHECK(task_fixture{}.when(c).is_ok());
}

TEST_CASE("task: its user, its creator and an admin may do all, and to others there is no such task") {
  for (const auto& by : {as(1), as(2), admin}) {
    task_fixture f{for_user_1()};
    CHECK(f.when(get_task{by}).is_ok());
    CHECK(f.when(change{.by = by, .status = status::done}).is_ok());
    CHECK(f.when(task::remove{by}).is_ok());
  }
  task_fixture f{for_user_1()};
  CHECK(f.when(get_task{as(3)}).refused(refusal::no_such_task));
  CHECK(f.when(change{.by = as(3), .status = status::done}).refused(refusal::no_such_task));
  CHECK(f.when(task::remove{as(3)}).refused(refusal::no_such_task));
}

TEST_CASE("task: to others there is none, whatever version they expect") {
  task_fixture f{for_user_1()};
  for (const std::uint64_t version : {0, 1, 2}) {
    CAPTURE(version);
    CHECK(f.when(get_task{as(3)}, version).refused(refusal::no_such_task));
    CHECK(f.when(change{.by = as(3), .status = status::done}, version).refused(refusal::no_such_task));
    CHECK(f.when(task::remove{as(3)}, version).refused(refusal::no_such_task));
  }
  CHECK(f.when(task::remove{as(1)}, 2).status() == outcome::status::version_mismatch);
}

TEST_CASE("task: one without a known creator is not everybody's") {
  auto c = for_user_1();
  c.creator = {};
  task_fixture f{c};
  CHECK(f.when(get_task{caller{}}).refused(refusal::no_such_task));
  CHECK(f.ask(get_task{as(1)}).creator_id == std::nullopt);
}

TEST_CASE("task: a change alters what it names, counts a version and tells the agenda alone") {
  task_fixture f{for_user_1()};
  f.advance(5s);
  const auto changed = f.when(change{.by = as(1), .title = "Rewrite", .status = status::in_progress});
  const auto view = changed.reply();
  CHECK(view.title == "Rewrite");
  CHECK(view.description == "all of it");
  CHECK(view.status == status::in_progress);
  CHECK(view.created_at == start_of_time);
  CHECK(view.updated_at == start_of_time + 5s);
  CHECK(view.version == 2);
  REQUIRE(changed.sent<agenda::kind, agenda::task_changed>().size() == 1);
  CHECK(changed.sent<agenda::kind, agenda::task_changed>().front().version == 2);
  CHECK(changed.changes().sends.size() == 1);
}

TEST_CASE("task: a change that alters nothing does nothing") {
  task_fixture f{due_in(1h)};
  CHECK(f.when(change{.by = as(1)}).changes().empty());
  CHECK(f.when(change{.by = as(1), .title = "Write", .status = status::open, .due_at = start_of_time + 1h})
            .changes()
            .empty());
  CHECK(f.version() == 1);
}

TEST_CASE("task: a removed task is gone, and the agenda is told") {
  task_fixture f{due_in(1h)};
  const auto removed = f.when(task::remove{as(1)});
  REQUIRE(removed.sent<agenda::kind, agenda::task_changed>().size() == 1);
  CHECK(removed.sent<agenda::kind, agenda::task_changed>().front().is_removed);
  CHECK(f.timer_count() == 0);
  CHECK(f.when(get_task{as(1)}).refused(refusal::no_such_task));
  CHECK(f.when(task::remove{as(1)}).refused(refusal::no_such_task));
}

TEST_CASE("task: a due date reminds its user once") {
  task_fixture f{due_in(1h)};
  CHECK(f.timer_count() == 1);
  CHECK(f.advance(1h - 1ms).empty());
  const auto fired = f.advance(1ms);
  REQUIRE(fired.size() == 1);
  CHECK(fired.front().sent<inbox::kind, inbox::notify>() ==
        std::vector{inbox::notify{"task_due", "Task is due: Write", "", task_key}});
  REQUIRE(fired.front().sent<agenda::kind, agenda::task_changed>().size() == 1);
  CHECK(fired.front().sent<agenda::kind, agenda::task_changed>().front().version == f.version());
  CHECK(f.timer_count() == 0);
  CHECK(f.when(remind{start_of_time + 1h}).changes().empty());
  f.given(to_status(status::done), to_status(status::open));
  CHECK(f.timer_count() == 0);
}

TEST_CASE("task: a reminder is stopped by done and cancelled, and comes back when the task is opened again") {
  for (const auto end : {status::done, status::cancelled}) {
    task_fixture f{due_in(1h)};
    f.given(to_status(end));
    CHECK(f.timer_count() == 0);
    f.given(to_status(status::in_progress));
    CHECK(f.timer_count() == 1);
    CHECK(f.advance(1h).size() == 1);
  }
}

TEST_CASE("task: another due date moves the reminder, none takes it away") {
  task_fixture f{due_in(1h)};
  f.given(to_due(2h));
  CHECK(f.timer_count() == 1);
  CHECK(f.advance(1h).empty());
  CHECK(f.when(remind{start_of_time + 1h}).changes().empty());
  f.given(change{.by = as(1), .clears_due_at = true});
  CHECK(f.ask(get_task{as(1)}).due_at == std::nullopt);
  CHECK(f.timer_count() == 0);
  f.given(to_due(3h));
  CHECK(f.advance(2h).size() == 1);
  f.given(to_due(4h));
  CHECK(f.advance(1h).size() == 1);
}

TEST_CASE("task: a due date that has passed reminds at once") {
  task_fixture f{due_in(-1h)};
  CHECK(f.advance(0ms).size() == 1);
}

TEST_CASE("task: changing a title leaves the reminder as it is") {
  task_fixture f{due_in(1h)};
  const auto changed = f.when(change{.by = as(1), .title = "Rewrite"});
  CHECK(changed.changes().timers_set.empty());
  CHECK(changed.changes().timers_cancelled.empty());
  CHECK(f.advance(1h).size() == 1);
}
