#include <doctest/doctest.h>

#include "cluster/replica_host/replica_host.hpp"
#include "cluster/replica_host/replica_record.hpp"
#include "runtime/base/hash.hpp"
#include "runtime/journal/snapshot_stage.hpp"
#include "test/integration/replica_host/replica_stage.hpp"

using namespace troupe;
using namespace troupe::test;
using replication::append;

TEST_CASE("replica host: a copy that was set aside says so, also after a restart") {
  follower f;
  f.hear(append{0, 1, {{1, 1, 1, 0, chunk_of(1, 1, 1, 0)}}});
  f.sync();
  CHECK_FALSE(f.replica->progress().is_quarantined);
  f.replica->receive({3, {node_id{3}, 9}, stage::self, 1, 1, replication::activate{{}, 1, 1}});
  CHECK(f.replica->progress().is_quarantined);

  const auto record = std::find_if(f.writes.rbegin(), f.writes.rend(),
                                   [](const log_write& w) { return w.what == log_write::kind::meta; });
  REQUIRE(record != f.writes.rend());
  stage again{{*record->bytes, 0, 1, {{1, 1}}}};
  again.replica->start();
  CHECK(again.replica->progress().is_quarantined);
}

TEST_CASE("replica host: entries that are damaged, or not what they are sent as, are refused and counted") {
  follower f;
  f.sync();
  const auto before = f.writes.size();
  const auto good = chunk_of(1, 2, 1, 0);
  auto bytes = *good;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  const auto damaged = std::make_shared<const std::string>(bytes);
  f.hear(append{0, 0, {{1, 2, 1, 0, damaged}}});
  f.hear(append{0, 0, {{1, 3, 1, 0, good}}});
  f.hear(append{0, 0, {{1, 2, 1, 1, good}}});
  CHECK(f.replica->damaged() == 3);
  CHECK(f.writes.size() == before);
  f.hear(append{0, 0, {{1, 2, 1, 0, good}}});
  REQUIRE(f.writes.size() == before + 1);
  CHECK(f.writes.back().last_index == 2);
  CHECK(f.replica->damaged() == 3);
}

TEST_CASE("replica host: entries that cannot be applied are refused, whatever their checksum says") {
  follower f;
  f.sync();
  const auto before = f.writes.size();
  chunk_writer writer{3};
  writer.begin(1, 1, 0);
  writer.add("\xff\xff no entry");
  f.hear(append{0, 0, {{1, 1, 1, 0, std::make_shared<const std::string>(writer.take())}}});
  CHECK(f.replica->damaged() == 1);
  CHECK(f.writes.size() == before);
}

namespace {

/// Had entries 1 and 2 of epoch 1; the primary of epoch 2 has cut the second one, and now it is the primary
/// of epoch 3 itself. Nothing of the cut is on disk yet.
struct successor : follower {
  successor() {
    hear(append{0, 0, {{1, 2, 1, 0, chunk_of(1, 2, 1, 0)}}});
    sync();
    replica->receive({3, other, self, 2, 2, replication::activate{{{1, 1}}, 2, 1}});
    replica->receive({3, other, self, 2, 2, append{0, 0, {{2, 2, 2, 1, nullptr}}}});
    sync();
    replica->receive({3, other, self, 3, 3, replication::activate{{{1, 1}}, 2, 1}});
    REQUIRE(writes.back().what == log_write::kind::truncation);
    become_primary(4);
    lacks_all();
  }
  void become_primary(std::uint64_t epoch) {
    auto now = alone(3, self, epoch, epoch * 10);
    now.config.in_sync = {self, other};
    now.config.replicas = {node_id{1}, node_id{2}};
    replica->on_config(now);
    epoch_now = epoch;
  }
  void lacks_all() {
    replica->receive(
        {3, other, self, epoch_now, epoch_now * 10, replication::append_ack{0, 0, false, false}});
  }
  std::uint64_t epoch_now = 0;
};

}  // namespace

TEST_CASE("replica host: what is to be sent out of the log is read when every cut before it is on disk") {
  successor s;
  CHECK(s.reads == 0);
  s.sync();
  CHECK(s.reads == 1);
}

TEST_CASE("replica host: what was to be sent out of a log that gives way is void") {
  successor s;
  // Deposed before it served, and cut once more.
  s.replica->receive({3, other, follower::self, 5, 50, replication::activate{{{1, 1}}, 2, 1}});
  REQUIRE(s.writes.back().what == log_write::kind::truncation);
  s.sync();
  CHECK(s.reads == 0);
}

TEST_CASE("replica host: who serves no longer sends nothing more out of its log") {
  successor s;
  s.sync();
  s.replica->receive({3, other, follower::self, 4, 40, replication::append_ack{2, 0, false, false}});
  REQUIRE(s.served.first == 4);
  const auto reads = s.reads;
  s.replica->propose(entries(3, 4, 4));
  s.replica->receive({3, other, follower::self, 4, 40, replication::nack{replication::refusal::gap, 1}});
  auto now = alone(3, other, 5, 50);
  now.config.replicas = {node_id{1}, node_id{2}};
  s.replica->on_config(now);
  CHECK(s.has_stopped);
  s.sync();
  CHECK(s.reads == reads);
}

TEST_CASE(
    "replica host: a piece of a snapshot that is damaged, or of another snapshot, is refused and counted") {
  const std::string row{2, 1, 'k', 1, 'v'};
  follower f;
  f.sync();
  const auto before = f.writes.size();
  const auto hear = [&](const std::string& bytes, std::uint64_t offset = 0) {
    // The sums of the whole are right in each, so that only the piece itself can tell.
    f.hear(replication::snapshot_part{5,
                                      {{1, 1}},
                                      offset,
                                      offset + bytes.size(),
                                      stable_hash(bytes),
                                      std::make_shared<const std::string>(bytes)});
  };
  const auto good = seal_snapshot_piece(marks_of(5) + row);
  auto flipped = good;
  flipped.back() = 'w';
  auto other_format = good;
  other_format[0] = 9;
  hear(flipped);
  hear(other_format);
  hear(seal_snapshot_piece(marks_of(6) + row));
  hear(seal_snapshot_piece(std::string{1, 5, 2, 0, 1, 1, 1} + row));        // of another epoch
  hear(seal_snapshot_piece(std::string{1, 5, 1, 0, 2, 1, 1, 3, 2} + row));  // of another history
  hear(seal_snapshot_piece(row));
  hear(seal_snapshot_piece(marks_of(5) + marks_of(5)));
  hear(seal_snapshot_piece(marks_of(5) + std::string{7}));
  hear(seal_snapshot_piece(marks_of(5) + std::string{2, 100, 'k'}));
  hear(good, 40);
  hear("");
  CHECK(f.replica->damaged() == 11);
  CHECK(f.writes.size() == before);
  hear(good);
  CHECK(f.replica->damaged() == 11);
  REQUIRE(f.writes.size() >= before + 2);
  CHECK(f.writes[before].what == log_write::kind::piece);
  CHECK(f.writes[before + 1].what == log_write::kind::install);
}

TEST_CASE(
    "replica host: an epoch that changes while a snapshot is installed, and late notices, end nothing") {
  follower f;
  f.sync();
  f.hear(append{0, 0, {{1, 2, 1, 0, chunk_of(1, 2, 1, 0)}}});
  f.sync();
  f.hear(append{2, 0, {}});
  CHECK(f.committed == 2);
  const auto whole = seal_snapshot_piece(marks_of(10));
  replication::snapshot_part part;
  part.index = 10;
  part.history = {{1, 1}};
  part.total = whole.size();
  part.hash = replication::snapshot_hash(whole, whole.size());
  part.bytes = std::make_shared<const std::string>(whole);
  f.hear(part);
  REQUIRE(f.writes.back().what == log_write::kind::install);
  const auto install = f.writes.back().number;
  f.replica->on_applied(2);           // the rows of before, told late
  f.hear(replication::release{}, 2);  // another epoch
  f.replica->on_synced(install);
  f.replica->on_applied(10);
  f.replica->on_applied(2);
  f.replica->on_tick();
}

TEST_CASE(
    "replica host: a log that is dropped for another shard's sake is noticed while this shard is idle") {
  struct kept_history final : shard_history {
    std::vector<log_extract> read(shard_id, std::uint64_t, std::uint64_t, std::size_t) const override {
      return {};
    }
    std::uint64_t first_kept(shard_id) const override { return kept; }
    void keep_from(shard_id, std::uint64_t) override {}
    void take_image(shard_id, image_handler) override { ++images; }
    std::uint64_t kept = 1;
    int images = 0;
  } history;
  stage s;
  follower::sent_words outbox;
  s.environment.peers = &outbox;
  s.environment.history = &history;
  s.replica->start();
  auto config = alone(3, stage::self, 1, 20);
  config.config.replicas = {node_id{1}, node_id{2}};
  s.answer(config);
  s.sync();
  s.replica->propose(entries(2, 4, 1));
  s.sync();
  s.replica->on_applied(4);
  history.kept = 4;  // frames are dropped for all shards together
  for (int i = 0; i < 10; ++i) {
    s.clock.now_ms += 50;
    s.replica->on_tick();
  }
  // A copy that was away and has nothing: what it lacks is there no more.
  s.replica->on_peer(other);
  for (int i = 0; i < 20; ++i) {
    s.clock.now_ms += 50;
    s.replica->on_tick();
    s.replica->receive({3, other, stage::self, 1, 20, replication::append_ack{0, 0}});
  }
  CHECK(history.images == 1);  // asked for once, however often it is wanted
}

TEST_CASE("replica host: whose primary's connection breaks ticks in haste until it hears of it") {
  follower f;
  f.sync();
  f.replica->on_tick();
  const auto calm_ms = f.tick_after_ms;
  CHECK(calm_ms == f.environment.options.beat / std::chrono::milliseconds{2});
  f.tick_after_ms = 0;
  f.replica->on_peer_lost(other);
  CHECK(f.tick_after_ms == f.environment.options.haste / std::chrono::milliseconds{4});
  CHECK(f.tick_after_ms < calm_ms);
  f.clock.now_ms += 100;
  f.hear(append{0, 0, {}});
  f.replica->on_tick();
  CHECK(f.tick_after_ms == calm_ms);
}

TEST_CASE(
    "replica host: a hand-over is proposed behind what the shard has begun, without waiting for a tick") {
  stage s;
  follower::sent_words outbox;
  s.environment.peers = &outbox;
  s.replica->start();
  auto config = alone(3, stage::self, 1, 20);
  config.config.in_sync = {stage::self, other};
  config.config.replicas = {node_id{1}, node_id{2}};
  s.answer(config);
  s.sync();
  s.replica->on_peer(other);
  const auto acknowledge = [&] {
    s.replica->receive(
        {3, other, stage::self, 1, 20, replication::append_ack{s.writes.back().last_index, 0, false, false}});
  };
  acknowledge();
  REQUIRE(s.served.first == 1);
  s.replica->hand_over(node_id{2});
  CHECK_FALSE(s.is_accepting);
  CHECK(s.authority.writes.empty());
  s.replica->propose(entries(2, 2, 1));  // begun before it heard
  s.sync();
  acknowledge();
  REQUIRE_FALSE(s.posted.empty());
  while (!s.posted.empty()) {
    const auto run = std::move(s.posted.front());
    s.posted.pop_front();
    run();
  }
  REQUIRE(s.authority.writes.size() == 1);
  CHECK(s.authority.writes.front().proposed.primary == other);
  CHECK(s.authority.writes.front().proposed.epoch == 2);
}
