#include <doctest/doctest.h>

#include <map>
#include <random>

#include "runtime/timer/timer_queue.hpp"

using namespace troupe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// A stand-in for the stored timer rows.
struct rows {
  std::map<std::pair<std::int64_t, std::uint64_t>, stored_timer> all;
  timer_queue::loader loader() {
    return [this](timestamp from, timestamp to, const std::function<bool(stored_timer &&)>& visit) {
      for (const auto& [key, timer] : all) {
        if (key.first >= from.ms && key.first < to.ms && !visit(stored_timer{timer})) return;
      }
    };
  }
  void put(const entity_ref& who, const timer_set& t) { all[{t.id.due.ms, t.id.number}] = {who, t}; }
  void erase(const timer_id& id) { all.erase({id.due.ms, id.number}); }
};

const entity_ref who{kind_id{1}, "e"};
timer_set timer(std::int64_t due_ms, std::uint64_t number) {
  return {{{due_ms}, number}, message_no{1}, "b"};
}

}  // namespace

TEST_CASE("timer queue: hands out what is due, in order, once") {
  rows stored;
  timer_queue q{stored.loader()};
  (void)q.take_due({0}, 10);
  q.set(1, who, timer(30, 1));
  q.set(2, who, timer(10, 2));
  CHECK(q.take_due({9}, 10).empty());
  const auto due = q.take_due({30}, 10);
  REQUIRE(due.size() == 2);
  CHECK(due[0].timer.id.number == 2);
  CHECK(q.take_due({100}, 10).empty());
  CHECK(q.cancel(3, who, due[0].timer.id));
  q.fired(4, who, due[1].timer.id);
  CHECK_FALSE(q.cancel(5, who, due[1].timer.id));
}

TEST_CASE("timer queue: any history of sets, cancels, applies and bounds fires exactly what it should") {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    std::mt19937 random{seed};
    rows stored;
    timer_queue q{stored.loader(), 1 + random() % 6, milliseconds{100 + random() % 400}};
    std::map<std::uint64_t, std::int64_t> expected;  // number, due
    struct change {
      std::uint64_t index;
      bool is_set;
      timer_set what;
    };
    std::deque<change> unapplied;
    std::uint64_t index = 0;
    std::int64_t now = 0;
    std::map<std::uint64_t, int> fired;
    const auto fire = [&] {
      for (auto& due : q.take_due({now}, 1 + random() % 4)) {
        CHECK(due.timer.id.due.ms <= now);
        ++fired[due.timer.id.number];
        CHECK(expected.erase(due.timer.id.number) == 1);
        q.fired(++index, who, due.timer.id);
        unapplied.push_back({index, false, due.timer});
      }
    };
    for (int step = 0; step < 300; ++step) {
      const auto choice = random() % 10;
      if (choice < 4) {
        const auto t = timer(now + static_cast<std::int64_t>(random() % 2000), ++index);
        expected[t.id.number] = t.id.due.ms;
        q.set(index, who, t);
        unapplied.push_back({index, true, t});
      } else if (choice < 5 && !expected.empty()) {
        const auto [number, due] = *expected.begin();
        expected.erase(number);
        CHECK_FALSE(q.cancel(++index, who, {{due}, number}));
        unapplied.push_back({index, false, timer(due, number)});
      } else if (choice < 7) {
        const auto count = random() % (unapplied.size() + 1);
        for (std::size_t i = 0; i < count; ++i) {
          const auto& c = unapplied.front();
          c.is_set ? stored.put(who, c.what) : stored.erase(c.what.id);
          q.forget_applied(c.index);
          unapplied.pop_front();
        }
      } else {
        now += static_cast<std::int64_t>(random() % 200);
        fire();
      }
    }
    for (int i = 0; i < 2000 && !expected.empty(); ++i) {
      now += 10;
      fire();
    }
    CHECK(expected.empty());
    for (const auto& [number, times] : fired) CHECK(times == 1);
  }
}

TEST_CASE("timer queue: many timers due soon are neither all loaded nor looked for again and again") {
  rows stored;
  for (std::uint64_t i = 0; i < 1000; ++i) stored.put(who, timer(10'000 + static_cast<std::int64_t>(i), i));
  timer_queue q{stored.loader(), 10, seconds{60}};
  for (int i = 0; i < 100; ++i) CHECK(q.take_due({0}, 10).empty());
  CHECK(q.loaded() <= 20);
  CHECK(q.next_wake({0}) == timestamp{10'000});
  std::size_t fired = 0;
  for (int i = 0; i < 1000; ++i) fired += q.take_due({11'000}, 10).size();
  CHECK(fired == 1000);
}

TEST_CASE("timer queue: knows when to be woken next") {
  rows stored;
  timer_queue q{stored.loader(), 10, seconds{60}};
  (void)q.take_due({0}, 10);
  CHECK_FALSE(q.next_wake({0}).has_value());
  q.set(1, who, timer(5000, 1));
  CHECK(q.next_wake({0}) == timestamp{5000});
  q.set(2, who, timer(90'000, 2));
  stored.put(who, timer(90'000, 2));
  (void)q.take_due({5000}, 10);
  REQUIRE(q.next_wake({5000}).has_value());
  CHECK(*q.next_wake({5000}) <= timestamp{90'000});
}
