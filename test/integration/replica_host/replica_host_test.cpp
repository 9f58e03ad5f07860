#include <doctest/doctest.h>

#include "cluster/replica_host/replica_host.hpp"
#include "cluster/replica_host/replica_record.hpp"
#include "test/integration/replica_host/replica_stage.hpp"

using namespace troupe;
using namespace troupe::test;

TEST_CASE("replica host: serves behind the barrier of its epoch, once that is on disk") {
  stage s{{"", 5, 8, {{2, 1}}}};
  s.replica->start();
  CHECK(s.writes.empty());
  s.answer(alone(3, stage::self, 4, 20));
  // The epoch, then the barrier.
  REQUIRE(s.writes.size() >= 2);
  CHECK(s.writes.front().what == log_write::kind::meta);
  CHECK(decode_replica_record(*s.writes.front().bytes)->epoch == 4);
  const auto& barrier = s.writes.back();
  CHECK(barrier.first_index == 9);
  chunk_view chunk;
  REQUIRE(decode_chunk(3, 9, *barrier.bytes, chunk));
  CHECK(chunk.epoch == 4);
  CHECK(chunk.previous_epoch == 2);
  entry_view entry;
  REQUIRE(decode_entry(chunk.entries.front(), entry));
  CHECK(entry.head.cause == entry_cause::barrier);
  CHECK(s.served.first == 0);
  CHECK(s.is_holding);
  s.sync();
  CHECK(s.served == std::pair<std::uint64_t, std::uint64_t>{4, 9});
  // The shard waits for the rows.
  CHECK(s.commits.back() == std::pair<std::uint64_t, bool>{9, true});

  s.replica->propose(entries(10, 12, 4));
  CHECK(s.writes.back().last_index == 12);
  CHECK(s.writes.back().awaited == 1);
  s.replica->read(1, 12);
  CHECK(s.released == 0);
  CHECK(s.committed == 9);
  s.sync();
  CHECK(s.committed == 12);
  CHECK(s.released == 1);
  CHECK(s.commits.back() == std::pair<std::uint64_t, bool>{12, false});
  s.replica->read(2, 12);
  CHECK(s.released == 2);
}

TEST_CASE(
    "replica host: an authority that is away is asked again, and one that was put back is not believed") {
  stage s{{encode_replica_record({0, 6, 30, 0, replication::disk_state::sound}), 0, 0, {}}};
  s.replica->start();
  while (!s.authority.reads.empty()) s.authority.answer_read({.ok = false, .configs = {}, .error = "away"});
  for (int i = 0; i < 40 && s.authority.reads.empty(); ++i) {
    s.clock.now_ms += s.tick_after_ms;
    s.replica->on_tick();
  }
  REQUIRE_FALSE(s.authority.reads.empty());
  // Older than what this replica has on disk: by revision, then by epoch.
  for (const auto& old : {alone(3, stage::self, 7, 29), alone(3, stage::self, 5, 31)}) {
    s.answer(old);
    CHECK(s.writes.empty());
    for (int i = 0; i < 40 && s.authority.reads.empty(); ++i) {
      s.clock.now_ms += s.tick_after_ms;
      s.replica->on_tick();
    }
    REQUIRE_FALSE(s.authority.reads.empty());
  }
  s.answer(alone(3, stage::self, 7, 31));
  s.sync();
  CHECK(s.served == std::pair<std::uint64_t, std::uint64_t>{7, 1});
}

TEST_CASE(
    "replica host: who is elected makes rows of what is committed, and holds what comes, before it serves") {
  stage s{{"", 5, 8, {{2, 1}}, 7}};
  s.replica->start();
  s.answer(alone(3, stage::self, 4, 20));
  CHECK(s.is_holding);
  CHECK(s.served.first == 0);
  REQUIRE_FALSE(s.commits.empty());
  CHECK(s.commits.back() == std::pair<std::uint64_t, bool>{7, true});
  s.clock.now_ms += 499;
  s.replica->on_tick();
  CHECK(s.is_holding);
  // Nobody knows when it will serve, so others keep what they are asked.
  s.clock.now_ms += 1;
  s.replica->on_tick();
  CHECK_FALSE(s.is_holding);
  s.sync();
  CHECK(s.served.first == 4);
}

TEST_CASE("replica host: who is elected and loses that again holds nothing any more") {
  stage s;
  s.replica->start();
  s.answer(alone(3, stage::self, 4, 20));
  CHECK(s.is_holding);
  s.replica->on_config(alone(3, {node_id{2}, 9}, 5, 21));
  CHECK_FALSE(s.is_holding);
  CHECK_FALSE(s.has_stopped);
}

TEST_CASE("replica host: another primary's epoch stops it") {
  stage s;
  s.replica->start();
  s.answer(alone(3, stage::self, 1, 1));
  s.sync();
  REQUIRE(s.served.first == 1);
  for (int i = 0; i < 40 && s.authority.reads.empty(); ++i) {
    s.clock.now_ms += s.tick_after_ms;
    s.replica->on_tick();
  }
  CHECK_FALSE(s.has_stopped);
  s.answer(alone(3, {node_id{2}, 9}, 2, 9));
  CHECK(s.has_stopped);
}
