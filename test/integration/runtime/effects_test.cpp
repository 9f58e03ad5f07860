#include <doctest/doctest.h>

#include "test/integration/runtime/shard_fixture.hpp"

using namespace troupe;
using namespace troupe::test;
using counter::add;
using counter::forward;

TEST_CASE("outbox: nothing is delivered before the sender's entry is committed") {
  shard_fixture f;
  f.send(f.make("a", forward{"b", 3}));
  std::uint64_t received = 0;
  for (const auto& figures : f.figures) received += figures.parcels_received;
  CHECK(received == 0);
  f.settle();
  CHECK(f.value_of("b") == 3);
  CHECK(f.value_of("a") == -3);
}

TEST_CASE("outbox: a parcel that arrives twice has one effect") {
  shard_fixture f;
  f.send(f.make("a", forward{"b", 3}));
  f.settle();
  parcel_batch again{
      f.home_of("a"),
      {},
      {{{1, 0}, {{counter::kind::options.id, "b"}, counter::kind::number_of<add>(), encode(add{3})}}}};
  // The sender has settled entry 1, so its receipt is gone only if the sender never repeats; here it does, at
  // once, before the housekeeping of the receiver.
  shard_fixture g;
  const auto to = g.environment.shards[g.home_of("b")];
  for (int i = 0; i < 3; ++i) {
    caf::anon_send(to, std::make_shared<parcel_batch>(again));
    g.run();
  }
  g.sync();
  caf::anon_send(to, std::make_shared<parcel_batch>(again));
  g.settle();
  caf::anon_send(to, std::make_shared<parcel_batch>(again));
  g.settle();
  CHECK(g.value_of("b") == 3);
}

TEST_CASE(
    "outbox: a message to a kind of a newer process is counted and left to its sender, and others go on") {
  shard_fixture f;
  const auto shard = f.home_of("b");
  const entity_ref unknown{kind_id{200}, "b"};
  caf::anon_send(
      f.environment.shards[shard],
      std::make_shared<parcel_batch>(parcel_batch{
          f.home_of("a"),
          {},
          {{{1, 0}, {unknown, message_no{1}, "body"}},
           {{2, 0}, {{counter::kind::options.id, "b"}, counter::kind::number_of<add>(), encode(add{3})}}}}));
  f.settle();
  CHECK(f.value_of("b") == 3);
  CHECK(f.figures[shard].parcels_unknown == 1);
  CHECK(f.figures[shard].parcels_received == 1);
}

TEST_CASE("outbox: a crash between commit and delivery loses and doubles nothing") {
  shard_fixture f;
  for (int i = 0; i < 20; ++i) f.send(f.make("a", forward{"b", 1}));
  // Committed and delivered, but the receiver's entries are not on disk yet when the process dies.
  while (!f.log.unsynced.empty() && f.log.unsynced.front().shard == f.home_of("a")) {
    auto one = f.log.unsynced.front();
    f.log.unsynced.pop_front();
    caf::anon_send(f.environment.shards[one.shard], synced_notice{one.last_index});
    f.log.unapplied.push_back(one);
    f.run();
  }
  f.crash_and_restart();
  f.settle();
  CHECK(f.value_of("b") == 20);
  CHECK(f.value_of("a") == -20);
  f.crash_and_restart();
  f.settle();
  CHECK(f.value_of("b") == 20);
}

TEST_CASE("outbox: a crash after the effect and before the sender heard of it does not repeat the effect") {
  shard_fixture f;
  for (int i = 0; i < 20; ++i) f.send(f.make("a", forward{"b", 1}));
  f.sync();  // the receiver's entries too; the sender's note that they arrived is not written yet
  f.crash_and_restart();
  f.settle();
  CHECK(f.value_of("b") == 20);
  f.crash_and_restart();
  f.settle();
  CHECK(f.value_of("b") == 20);
}

TEST_CASE("outbox: more messages than fit in memory all arrive once") {
  shard_fixture f;
  f.send(f.make("a", forward{"b", 1, 3000}));
  for (int i = 0; i < 20; ++i) f.send(f.make("a", forward{"c", 1, 100}));
  for (int i = 0; i < 4; ++i) f.settle();
  CHECK(f.value_of("b") == 3000);
  CHECK(f.value_of("c") == 2000);
}

TEST_CASE("outbox: a command that sends what no entry can name fails and changes nothing") {
  shard_fixture f;
  for (const auto& bad : {forward{"b", 1, 65'537}, forward{"", 1, 1}, forward{std::string(201, 'k'), 1, 1}}) {
    const auto got = f.send(f.make("a", bad));
    f.settle();
    REQUIRE(got->has_value());
    CHECK((*got)->status == reply_status::failed);
  }
  CHECK(f.value_of("a") == 0);
  CHECK(f.value_of("b") == 0);
  f.send(f.make("a", forward{std::string(200, 'k'), 1, 1}));
  f.settle();
  CHECK(f.value_of(std::string(200, 'k')) == 1);
}

namespace {

/// Fifty-one messages from a to b, of which b has forgotten the receipts of fifty.
void settle_fifty(shard_fixture& f) {
  for (int i = 0; i < 5; ++i) f.send(f.make("a", forward{"b", 1, 10}));
  f.settle();
  f.send(f.make("a", forward{"b", 1}));  // carries the notice that the first fifty are settled
  f.settle();
}

}  // namespace

TEST_CASE("outbox: rows and receipts are gone when everything has arrived") {
  shard_fixture f;
  settle_fifty(f);
  std::size_t rows = 0;
  for (shard_id id = 0; id < shard_fixture::shard_count; ++id) {
    for (const auto section : {row_section::outbox, row_section::received}) {
      const auto prefix = keys::section(id, section);
      f.stored->scan_rows(prefix, prefix_end(prefix), scan_order::ascending,
                          [&](std::string_view, std::string_view) {
                            ++rows;
                            return true;
                          });
    }
  }
  CHECK(rows == 0);
}

TEST_CASE("outbox: a message that a former sender repeats after its receipt has gone has no second effect") {
  shard_fixture f;
  settle_fifty(f);
  REQUIRE(f.value_of("b") == 51);
  // The primary that a was at before: it was frozen, and does not know of its end.
  const auto repeat = [&] {
    for (std::uint64_t index = 1; index <= 5; ++index)
      for (std::uint16_t position = 0; position < 10; ++position)
        caf::anon_send(
            f.environment.shards[f.home_of("b")],
            std::make_shared<parcel_batch>(parcel_batch{
                f.home_of("a"),
                {1, 0},
                {{{index, position},
                  {{counter::kind::options.id, "b"}, counter::kind::number_of<add>(), encode(add{1})}}}}));
    f.settle();
  };
  repeat();
  CHECK(f.value_of("b") == 51);
  f.crash_and_restart();
  f.settle();
  repeat();
  CHECK(f.value_of("b") == 51);
}

TEST_CASE("timer: fires once when it is due, not before") {
  shard_fixture f;
  f.send(f.make("a", counter::add_later{7, 10'000}));
  f.settle();
  CHECK(f.value_of("a") == 0);
  f.advance(std::chrono::seconds{10});
  f.settle();
  CHECK(f.value_of("a") == 7);
  f.advance(std::chrono::seconds{100});
  f.settle();
  CHECK(f.value_of("a") == 7);
}

TEST_CASE("timer: is not held up by a wall clock that was set back, before or after a restart") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    shard_fixture f;
    f.send(f.make("a", counter::add_later{5, 1'000}));
    f.settle();
    f.clock.set_by = std::chrono::hours{-5};
    if (restarts) f.crash_and_restart();
    f.send(f.make("b", counter::add_later{5, 1'000}));
    f.settle();
    f.advance(std::chrono::milliseconds{2'000});
    f.settle();
    CHECK(f.value_of("a") == 5);
    CHECK(f.value_of("b") == 5);
  }
}

TEST_CASE("timer: survives a restart, and does not fire again after one") {
  shard_fixture f;
  f.send(f.make("a", counter::add_later{7, 10'000}));
  f.sync();
  f.crash_and_restart();
  f.advance(std::chrono::seconds{11});
  f.sync();  // fired, on disk, not applied
  f.crash_and_restart();
  f.settle();
  CHECK(f.value_of("a") == 7);
}

TEST_CASE("timer: a cancelled one does not fire, near or far, applied or not") {
  shard_fixture f;
  for (const auto delay_ms : {50, 10'000, 500'000}) {
    for (const bool applied : {false, true}) {
      const auto key = "a" + std::to_string(delay_ms) + (applied ? "y" : "n");
      f.send(f.make(key, counter::add_later{7, delay_ms}));
      if (applied) f.apply();
      f.send(f.make(key, counter::cancel_last{}));
      f.sync();
      f.advance(std::chrono::milliseconds{delay_ms + 100});
      f.settle();
      f.advance(std::chrono::seconds{100});
      f.settle();
      CHECK(f.value_of(key) == 0);
    }
  }
}

TEST_CASE("timer: many that are due at once wait their turn while the disk does not answer") {
  shard_options options;
  options.uncommitted_entries_max = 10;
  shard_fixture f{options};
  for (int i = 0; i < 200; ++i) {
    f.send(f.make("a", counter::add_later{1, 10'000}));
    if (i % 8 == 0) f.sync();
  }
  f.settle();
  const auto home = f.home_of("a");
  options.queued_max = 20;
  f.restart_with(options);
  f.advance(std::chrono::seconds{11});
  for (int i = 0; i < 20; ++i) f.advance(std::chrono::milliseconds{5});
  CHECK(f.figures[home].queued <= 20);
  for (int i = 0; i < 20; ++i) f.settle();
  CHECK(f.value_of("a") == 200);
}

TEST_CASE("timer: thousands far and near all fire once, with few of them in memory") {
  shard_fixture f;
  constexpr int count = 500;
  for (int i = 0; i < count; ++i)
    f.send(f.make("e" + std::to_string(i % 10), counter::add_later{1, 1000 * (i % 200)}));
  f.settle();
  for (int minute = 0; minute < 8; ++minute) {
    f.advance(std::chrono::seconds{30});
    f.settle();
  }
  std::int64_t sum = 0;
  for (int i = 0; i < 10; ++i) sum += f.value_of("e" + std::to_string(i));
  CHECK(sum == count);
}
