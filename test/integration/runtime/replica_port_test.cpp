#include <doctest/doctest.h>

#include "test/integration/runtime/shard_fixture.hpp"

/// What a shard does with the word of its replica.
using namespace troupe;
using namespace troupe::test;
using counter::add;
using counter::get;

namespace {

reply_status status_in(const std::shared_ptr<std::optional<reply>>& slot) {
  REQUIRE(slot->has_value());
  return (*slot)->status;
}

/// Nudges the replicas of all shards on their shards' threads.
template <class Do>
void on_replicas(shard_fixture& f, Do&& act) {
  for (shard_id id = 0; id < shard_fixture::shard_count; ++id) {
    auto call = std::make_shared<std::function<void()>>([&f, id, act] { act(*f.replicas.at(id)); });
    caf::anon_send(f.environment.shards[id], posted_call{std::move(call)});
  }
  f.run();
}

timestamp stamp_of_last(const manual_log& log) {
  const auto& last = log.unsynced.back();
  chunk_view chunk;
  REQUIRE(decode_chunk(last.shard, last.first_index, *last.bytes, chunk));
  entry_view entry;
  REQUIRE(decode_entry(chunk.entries.back(), entry));
  return entry.head.at;
}

}  // namespace

TEST_CASE("shard: what made no entry waits until the replica has confirmed it, what made one does not") {
  shard_fixture f;
  const auto before = f.send(f.make("a", add{5}, "key-1"));
  f.settle();
  f.control.confirms_reads = false;
  const auto query = f.send(f.make("a", get{}));
  const auto refusal = f.send(f.make("a", add{-1}));
  const auto entry = f.send(f.make("a", add{1}));
  const auto replay = f.send(f.make("a", add{5}, "key-1"));
  f.sync();
  CHECK_FALSE(query->has_value());
  CHECK_FALSE(refusal->has_value());
  CHECK(status_in(entry) == reply_status::ok);
  CHECK(status_in(replay) == reply_status::ok);  // true whoever is the primary
  CHECK((*replay)->replayed);
  f.control.confirms_reads = true;
  on_replicas(f, [](lone_replica& r) { r.release(); });
  CHECK(status_in(query) == reply_status::ok);
  CHECK(status_in(refusal) == reply_status::rejected);
}

TEST_CASE("shard: reads that are not confirmed are bounded, and hold up what comes behind them") {
  shard_options options;
  options.gated_replies_max = 10;
  options.queued_max = 5;
  shard_fixture f{options};
  f.control.confirms_reads = false;
  std::vector<std::shared_ptr<std::optional<reply>>> slots;
  for (int i = 0; i < 30; ++i) slots.push_back(f.send(f.make("a", get{})));
  std::size_t overloaded = 0;
  for (const auto& slot : slots) overloaded += slot->has_value() ? 1 : 0;
  CHECK(overloaded == 15);
  f.control.confirms_reads = true;
  on_replicas(f, [](lone_replica& r) { r.release(); });
  for (const auto& slot : slots) CHECK(slot->has_value());
}

TEST_CASE("shard: commands wait until the replica serves, and no more of them than fit") {
  shard_options options;
  options.queued_max = 3;
  shard_fixture f{options};
  f.control.serves = false;
  f.restart_with(options);
  std::vector<std::shared_ptr<std::optional<reply>>> slots;
  for (int i = 0; i < 5; ++i) slots.push_back(f.send(f.make("a", add{1})));
  CHECK_FALSE(slots[2]->has_value());
  CHECK(status_in(slots[3]) == reply_status::overloaded);
  CHECK(status_in(slots[4]) == reply_status::overloaded);
  auto late = f.make("b", add{1});
  late.deadline = f.clock.steady() + std::chrono::milliseconds{10};
  const auto expired = f.send(std::move(late));
  f.advance(std::chrono::milliseconds{20});
  on_replicas(f, [](lone_replica& r) { r.let_serve(); });
  f.sync();
  for (int i = 0; i < 3; ++i) CHECK(status_in(slots[static_cast<std::size_t>(i)]) == reply_status::ok);
  if (f.home_of("b") != f.home_of("a")) CHECK(status_in(expired) == reply_status::deadline_passed);
  CHECK(f.value_of("a") == 3);
}

TEST_CASE("shard: time does not go back when the clock was set back between two lives") {
  shard_fixture f;
  f.send(f.make("a", add{1}));
  const auto before = stamp_of_last(f.log);
  CHECK(before == f.clock.now);
  f.settle();
  const auto last = f.clock.now;
  f.clock.now = f.clock.now + std::chrono::hours{-5};
  f.crash_and_restart();
  f.send(f.make("a", add{1}));
  CHECK(stamp_of_last(f.log) >= before);
  CHECK(stamp_of_last(f.log) <= last);
}
