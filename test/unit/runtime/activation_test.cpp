#include <doctest/doctest.h>

#include "runtime/entity/activation.hpp"
#include "test/support/memory_rows.hpp"

using namespace troupe;
using test::memory_rows;

// A kind made to misbehave on demand.
namespace {

enum class refusal : std::uint8_t { too_much = 1 };
TROUPE_DESCRIBE_ENUM(refusal, too_much)

enum class behaviour : std::uint8_t { good = 1, refuse_after_edit = 2, throw_after_edit = 3, rows_only = 4 };
TROUPE_DESCRIBE_ENUM(behaviour, good, refuse_after_edit, throw_after_edit, rows_only)

struct add {
  std::int64_t amount = 0;
  behaviour how = behaviour::good;
};
TROUPE_DESCRIBE(add, amount, how)

struct get_sum {};
BOOST_DESCRIBE_STRUCT(get_sum, (), ())

struct sum {
  std::int64_t value = 0;
  std::uint64_t rows = 0;
  friend bool operator==(const sum&, const sum&) = default;
};
TROUPE_DESCRIBE(sum, value, rows)

struct counter_state {
  std::int64_t value = 0;
};
TROUPE_DESCRIBE(counter_state, value)

struct counter final : entity<counter, counter_state> {
  static constexpr kind_options options{.id = kind_id{9}, .name = "counter"};
  using commands = messages<numbered<1, add>>;
  using queries = messages<numbered<2, get_sum>>;
  TROUPE_NUMBERED_MESSAGES

  table<std::uint64_t, sum> history() const { return rows<std::uint64_t, sum>(table_no{1}); }

  result<sum> on(const add& c) {
    if (c.how != behaviour::rows_only) edit().value += c.amount;
    history().put(static_cast<std::uint64_t>(c.amount), {c.amount, 0});
    send<counter>("other", add{c.amount});
    cancel(after(std::chrono::seconds{1}, add{1}));
    if (c.how == behaviour::refuse_after_edit) return reject(refusal::too_much, "no", {{"limit", "5"}});
    if (c.how == behaviour::throw_after_edit) throw std::runtime_error{"broken on purpose"};
    return sum{state().value, history().list({}, scan_order::ascending).rows.size()};
  }
  result<sum> on(const get_sum&) const {
    return sum{state().value, history().list({}, scan_order::ascending).rows.size()};
  }
};

struct fixture {
  memory_rows stored;
  kind_descriptor kind = describe_kind<counter>();
  activation one{kind, "k", stored.source()};
  std::uint64_t batch = 0;

  template <class Message>
  outcome run(const Message& message, const version_condition& expect = {}) {
    return one.execute({{1000}, 7}, counter::number_of<Message>(), encode(message), ++batch, expect);
  }
  sum now() {
    sum s;
    REQUIRE(decode(run(get_sum{}).reply, s));
    return s;
  }
};

}  // namespace

TEST_CASE("activation: a command changes state and rows and hands out all that it did") {
  fixture f;
  const auto out = f.run(add{5});
  CHECK(out.what == outcome::status::ok);
  CHECK(out.version == 1);
  REQUIRE(out.changes.rows.size() == 2);
  CHECK(out.changes.rows[0].table == table_no{1});
  CHECK(out.changes.rows[1] == row_write{state_table, "", std::string("\x01\x01\x02\x0a", 4)});
  REQUIRE(out.changes.sends.size() == 1);
  CHECK(out.changes.sends[0].target == entity_ref{kind_id{9}, "other"});
  REQUIRE(out.changes.timers_set.size() == 1);
  CHECK(out.changes.timers_set[0].id.due == timestamp{2000});
  CHECK(out.changes.timers_cancelled == std::vector{out.changes.timers_set[0].id});
  CHECK(f.now() == sum{5, 1});
}

TEST_CASE("activation: entity/E1, a refusal after an edit leaves no trace") {
  fixture f;
  f.run(add{5});
  const auto out = f.run(add{7, behaviour::refuse_after_edit});
  CHECK(out.what == outcome::status::rejected);
  CHECK(out.changes.empty());
  CHECK(out.version == 1);
  rejection why;
  REQUIRE(decode(out.reply, why));
  CHECK(why == rejection{1, "no", {{"limit", "5"}}});
  CHECK(f.now() == sum{5, 1});
}

TEST_CASE("activation: entity/E1, so does a handler that throws, even the very first one") {
  fixture f;
  CHECK(f.run(add{7, behaviour::throw_after_edit}).what == outcome::status::failed);
  CHECK(f.now() == sum{0, 0});
  f.run(add{5});
  const auto out = f.run(add{7, behaviour::throw_after_edit});
  CHECK(out.what == outcome::status::failed);
  CHECK(out.changes.empty());
  CHECK(f.one.version() == 1);
  CHECK(f.now() == sum{5, 1});
}

TEST_CASE("activation: entity/E1, what a failed command sent and set does not come with the next one") {
  for (const auto how : {behaviour::refuse_after_edit, behaviour::throw_after_edit}) {
    fixture f;
    f.run(add{7, how});
    const auto out = f.run(add{5});
    CHECK(out.changes.sends.size() == 1);
    CHECK(out.changes.timers_set.size() == 1);
    CHECK(out.changes.timers_cancelled.size() == 1);
    CHECK(out.changes.rows.size() == 2);
  }
}

TEST_CASE("activation: what is undone goes back to the pending state, not only to the stored one") {
  fixture f;
  f.run(add{5});
  f.run(add{6});
  f.run(add{7, behaviour::refuse_after_edit});
  CHECK(f.now() == sum{11, 2});
  CHECK(f.one.version() == 2);
}

TEST_CASE("activation: rows alone do not count a version") {
  fixture f;
  const auto out = f.run(add{5, behaviour::rows_only});
  CHECK(out.version == 0);
  CHECK(out.changes.rows.size() == 1);
}

TEST_CASE("activation: a message that the kind does not know, or cannot decode, runs nothing") {
  fixture f;
  CHECK(f.one.execute({}, message_no{99}, "", 1).what == outcome::status::malformed);
  CHECK(f.one.execute({}, message_no{0}, "", 1).what == outcome::status::malformed);
  CHECK(f.one.execute({}, message_no{1}, "\xff", 1).what == outcome::status::malformed);
  CHECK(f.now() == sum{0, 0});
}

TEST_CASE("activation: a version that is expected must be there") {
  fixture f;
  CHECK(f.run(add{5}, 1).what == outcome::status::version_mismatch);
  CHECK(f.run(add{5}, 0).what == outcome::status::ok);
  const auto out = f.run(add{5}, 0);
  CHECK(out.what == outcome::status::version_mismatch);
  CHECK(out.version == 1);
  CHECK(f.now() == sum{5, 1});
}

TEST_CASE("activation: a command can ask for an entity that exists, does not, or has moved on") {
  fixture f;
  const auto run = [&](const version_condition& expect) { return f.run(add{5}, expect).what; };
  CHECK(run(version_condition::exists()) == outcome::status::version_mismatch);
  CHECK(run(version_condition::never()) == outcome::status::version_mismatch);
  CHECK(run(version_condition::absent()) == outcome::status::ok);
  CHECK(run(version_condition::absent()) == outcome::status::version_mismatch);
  CHECK(run(version_condition::other_than(1)) == outcome::status::version_mismatch);
  CHECK(run(version_condition::exists()) == outcome::status::ok);
  CHECK(run(version_condition::other_than(1)) == outcome::status::ok);
  CHECK(run(version_condition::never()) == outcome::status::version_mismatch);
  CHECK(f.one.version() == 3);
}

TEST_CASE("activation: a refusal goes before a version that is not there, and neither leaves a trace") {
  fixture f;
  CHECK(f.run(add{5}).what == outcome::status::ok);
  const auto refused = f.run(add{5, behaviour::refuse_after_edit}, 7);
  CHECK(refused.what == outcome::status::rejected);
  const auto stale = f.run(add{5}, 7);
  CHECK(stale.what == outcome::status::version_mismatch);
  CHECK(stale.reply.empty());
  CHECK(stale.changes.empty());
  CHECK(stale.version == 1);
  CHECK(f.run(get_sum{}, 7).what == outcome::status::version_mismatch);
  CHECK(f.now() == sum{5, 1});
}

TEST_CASE("activation: what was stored is there again after passivation") {
  fixture f;
  f.stored.apply(f.run(add{5}).changes.rows);
  activation again{f.kind, "k", f.stored.source()};
  CHECK(again.version() == 1);
  CHECK(again.state_bytes() == f.one.state_bytes());
  CHECK_FALSE(again.has_pending_rows());
  CHECK(f.one.has_pending_rows());
  f.one.forget(f.batch);
  CHECK_FALSE(f.one.has_pending_rows());
}

TEST_CASE("activation: ids and timers follow from the seed of the call") {
  fixture a;
  fixture b;
  CHECK(a.run(add{5}).changes.timers_set == b.run(add{5}).changes.timers_set);
}

TEST_CASE("kinds: are found by number and by name, with their messages") {
  std::vector<kind_descriptor> kinds;
  kinds.push_back(describe_kind<counter>());
  const kind_registry registry{std::move(kinds)};
  const auto* kind = registry.find("counter");
  REQUIRE(kind != nullptr);
  CHECK(registry.find(kind_id{9}) == kind);
  CHECK(registry.find(kind_id{8}) == nullptr);
  CHECK(registry.find(kind_id{255}) == nullptr);
  CHECK(registry.find("nobody") == nullptr);
  REQUIRE(kind->find(message_no{2}) != nullptr);
  CHECK(kind->find(message_no{2})->is_query);
  CHECK_FALSE(kind->find(message_no{1})->is_query);
  CHECK(counter::number_of<get_sum>() == message_no{2});
}
