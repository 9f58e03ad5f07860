#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "actors/agenda/agenda.hpp"
#include "actors/inbox/inbox.hpp"
#include "actors/kinds.hpp"
#include "actors/task/task.hpp"
#include "test/support/kind_world.hpp"

using namespace troupe;
using namespace troupe::task;
using test::user;

namespace {

const std::string owner = to_string(user(1));
constexpr caller admin{.user = {}, .is_admin = true};

status any_status() { return static_cast<status>(*rc::gen::inRange(1, 5)); }

/// Some tasks of one user, changed at random; their messages reach the agenda in any order.
struct office {
  test::kind_world world{all_kinds()};

  static std::string key_of(int number) { return to_string(user(static_cast<std::uint8_t>(100 + number))); }

  std::optional<timestamp> any_due() const {
    if (*rc::gen::arbitrary<bool>()) return std::nullopt;
    return world.now() + std::chrono::seconds{*rc::gen::inRange(-5, 30)};
  }
  void step() {
    const auto key = key_of(*rc::gen::inRange(0, 4));
    switch (*rc::gen::inRange(0, 7)) {
      case 0:
      case 1:
        world.tell<task::kind>(
            key, create{.title = "T", .user = user(1), .creator = user(2), .due_at = any_due()});
        break;
      case 2:
        world.tell<task::kind>(key, task::remove{admin});
        break;
      case 3:
        world.advance(std::chrono::seconds{*rc::gen::inRange(0, 10)});
        break;
      case 4:
        world.tell<task::kind>(
            key, change{.by = admin, .due_at = any_due(), .clears_due_at = *rc::gen::arbitrary<bool>()});
        break;
      default:
        world.tell<task::kind>(key, change{.by = admin, .title = "U", .status = any_status()});
        break;
    }
  }

  std::vector<agenda::task_summary> listed(std::optional<status> in) {
    return world.tell<agenda::kind>(owner, agenda::list_tasks{in, {.limit = 100, .cursor = {}}})
        .reply()
        .items;
  }
  /// What the agenda should list: asked of the tasks themselves.
  std::vector<agenda::task_summary> expected(std::optional<status> in) {
    std::vector<agenda::task_summary> found;
    for (int i = 0; i < 4; ++i) {
      const auto answer = world.tell<task::kind>(key_of(i), get_task{admin});
      if (!answer.is_ok()) continue;
      const auto t = answer.reply();
      if (in && t.status != *in) continue;
      found.push_back({t.id, t.title, t.user_id, t.status, t.due_at, t.created_at, t.updated_at, t.version});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
      return std::tie(b.created_at, b.id) < std::tie(a.created_at, a.id);
    });
    return found;
  }
};

}  // namespace

TEST_CASE("task: once all messages are delivered, in any order, the agenda is what the tasks are") {
  CHECK(rc::check([] {
    office o;
    o.world.pick = [](std::size_t waiting) { return *rc::gen::inRange<std::size_t>(0, waiting); };
    const auto steps = *rc::gen::inRange(0, 40);
    for (int i = 0; i < steps; ++i) o.step();
    o.world.deliver_all();
    RC_ASSERT(o.listed(std::nullopt) == o.expected(std::nullopt));
    for (const auto in : {status::open, status::in_progress, status::done, status::cancelled}) {
      RC_ASSERT(o.listed(in) == o.expected(in));
    }
  }));
}

TEST_CASE("task: a timer is set exactly while a reminder is owed, and each due date reminds at most once") {
  CHECK(rc::check([] {
    office o;
    const auto steps = *rc::gen::inRange(0, 40);
    for (int i = 0; i < steps; ++i) {
      o.step();
      for (int n = 0; n < 4; ++n) {
        const auto answer = o.world.tell<task::kind>(office::key_of(n), get_task{admin});
        const auto timers = o.world.entity({task::kind::options.id, office::key_of(n)}).timers().size();
        RC_ASSERT(timers <= 1U);
        const bool may_owe =
            answer.is_ok() && answer.reply().due_at &&
            (answer.reply().status == status::open || answer.reply().status == status::in_progress);
        if (!may_owe) RC_ASSERT(timers == 0U);
        if (may_owe && *answer.reply().due_at > o.world.now()) RC_ASSERT(timers == 1U);
      }
    }
  }));
}
