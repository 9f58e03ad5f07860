#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "cluster/history/check.hpp"
#include "test/property/cluster/corruptions.hpp"
#include "test/support/brute_linearizability.hpp"
#include "test/support/random_history.hpp"

using namespace troupe;
using namespace troupe::history;

namespace {

std::string complaints(const verdict& v) {
  std::string out;
  for (const auto& c : v.checks)
    for (const auto& s : c.sentences) out += c.name + ": " + s + "\n";
  return out;
}

test::history_shape any_shape() {
  test::history_shape shape;
  shape.operations = *rc::gen::inRange<std::size_t>(1, 200);
  shape.clients = *rc::gen::inRange<std::uint32_t>(1, 12);
  shape.shards = *rc::gen::inRange<std::uint32_t>(1, 4);
  shape.skus = *rc::gen::inRange<std::uint32_t>(1, 6);
  shape.replicas = *rc::gen::inRange<std::uint32_t>(1, 4);
  shape.initial = *rc::gen::inRange<std::int64_t>(0, 60);
  shape.overlap = *rc::gen::inRange<std::int64_t>(0, 2000);
  shape.unknown_percent = *rc::gen::inRange<std::uint32_t>(0, 40);
  return shape;
}

recorded_history any_history(const test::history_shape& shape) {
  return test::history_maker{*rc::gen::arbitrary<std::uint64_t>(), shape}.make();
}

/// A few operations on one or two SKUs, each asked once.
recorded_history small_history() {
  test::history_shape shape;
  shape.operations = 6;
  shape.clients = 4;
  shape.skus = *rc::gen::inRange<std::uint32_t>(1, 3);
  shape.shards = 1;
  shape.replicas = 2;
  shape.initial = *rc::gen::inRange<std::int64_t>(0, 5);
  shape.unknown_percent = 15;
  shape.expire_percent = 0;  // what a timer does is nobody's operation
  shape.overlap = 500;
  auto h = any_history(shape);
  const auto is_second = [&](const operation& op) {
    const auto first = std::find_if(h.operations.begin(), h.operations.end(),
                                    [&](const operation& o) { return o.command == op.command; });
    return &*first != &op;
  };
  RC_PRE(std::none_of(h.operations.begin(), h.operations.end(), is_second));
  return h;
}

}  // namespace

TEST_CASE("history: legal executions with any overlap of intervals are accepted") {
  CHECK(rc::check([] {
    const auto h = any_history(any_shape());
    const auto v = check(h);
    RC_ASSERT(complaints(v) == "");
    RC_ASSERT(v.holds());
  }));
}

TEST_CASE("history: every kind of corruption is rejected wherever it strikes") {
  for (const auto& c : test::corruptions()) {
    CAPTURE(c.name);
    int struck = 0;
    CHECK(rc::check(c.name, [&] {
      auto h = any_history(any_shape());
      id_source random{*rc::gen::arbitrary<std::uint64_t>()};
      const bool has_struck = c.strike(h, random);
      if (!has_struck) return;
      ++struck;
      RC_ASSERT(!check(h).holds());
    }));
    CHECK(struck >= 100);  // the property is about something
  }
}

TEST_CASE("history: what the checker accepts after random damage, trying every order accepts too") {
  int accepted = 0;
  int rejected = 0;
  CHECK(rc::check([&] {
    auto h = small_history();
    id_source random{*rc::gen::arbitrary<std::uint64_t>()};
    for (auto left = *rc::gen::inRange(0, 3); left > 0; --left) test::damage_anything(h, random);
    if (check(h).holds()) {
      ++accepted;
      RC_ASSERT(test::brute_linearizability::accepts(h));
    } else {
      ++rejected;
    }
  }));
  CHECK(accepted >= 100);
  CHECK(rejected >= 100);
}
