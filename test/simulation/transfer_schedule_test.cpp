#include <doctest/doctest.h>

#include <vector>

#include "test/simulation/bench.hpp"

// Schedules of handing over (docs/replication.md, section 11).

using namespace troupe;              // NOLINT
using namespace troupe::simulation;  // NOLINT
using replication::mutant;
using std::chrono::milliseconds;

TEST_CASE("replica: R=3, a graceful transfer keeps everything, and its lost answer only costs time") {
  for (const auto fate : {bench::fate::answered, bench::fate::answer_lost, bench::fate::held}) {
    CAPTURE(static_cast<int>(fate));
    bench b(3, 2);
    b.propose(1);
    b.settle({1, 2, 3});
    b.cas_fate = fate;
    b.step(1, replication::transfer_to{node_id{2}});
    CHECK_FALSE(b.at(1).is_accepting());
    b.run({1, 2, 3}, milliseconds{200});
    b.cas_fate = bench::fate::answered;
    if (fate == bench::fate::held) CHECK_FALSE(b.at(1).is_accepting());
    b.run({1, 2, 3}, milliseconds{3000});
    const bool went = fate != bench::fate::held;
    CHECK(b.serves(went ? 2 : 1));
    CHECK(b.at(went ? 2 : 1).is_accepting());
    CHECK(b.at(2).commit() >= 2);
    b.apply_held();  // too late: the revision has moved on
    CHECK(b.config().primary.node == node_id{went ? 2U : 1U});
  }
}

TEST_CASE(
    "replica: R=3, a transfer that the authority does not answer holds nobody up, and comes late without harm") {
  bench b(3, 2);
  b.cas_fate = bench::fate::held;
  b.authority_is_out = true;
  b.step(1, replication::transfer_to{node_id{2}});
  b.run({1, 2, 3}, milliseconds{300});
  CHECK_FALSE(b.at(1).is_accepting());
  b.run({1, 2, 3}, milliseconds{400});
  CHECK(b.at(1).figures().transfers_left_open == 1);
  REQUIRE(b.at(1).is_accepting());
  b.propose(1);
  b.settle({1, 2, 3});
  const auto last = b.at(1).log().last();
  CHECK(b.at(1).commit() == last);
  // Not again, as long as that is so.
  b.step(1, replication::transfer_to{node_id{3}});
  b.step(1, replication::resign{});
  for (int i = 0; i < 200; ++i) {
    b.run({1, 2, 3}, milliseconds{50});
    REQUIRE(b.at(1).is_accepting());
  }
  b.authority_is_out = false;
  b.cas_fate = bench::fate::answered;
  b.apply_held();  // the first of them, so the transfer
  REQUIRE(b.config().primary.node == node_id{2});
  b.propose(1);  // known to nobody yet
  b.run({1, 2, 3}, milliseconds{3000});
  CHECK(b.serves(2));
  CHECK(b.at(2).log().last() >= last);
  CHECK(b.at(2).commit() >= last);
}

namespace {

/// Ticks, messages and syncs of these nodes, except that no sync of node 1 returns.
void run_without_disk_1(bench& b, const std::vector<int>& nodes, milliseconds how_long) {
  for (milliseconds passed{}; passed < how_long; passed += milliseconds{50}) {
    for (const int node : nodes) b.tick(node);
    for (int i = 0; i < 4; ++i)
      for (const int from : nodes) {
        for (const int to : nodes) b.deliver(from, to);
        if (from != 1) b.sync(from);
      }
  }
}

}  // namespace

TEST_CASE("replica: R=3, a primary whose disk does not answer gives way to a copy whose disk does") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  b.propose(1);
  run_without_disk_1(b, {1, 2, 3}, milliseconds{2000});
  CHECK(b.at(1).commit() < b.at(1).log().last());
  CHECK_FALSE(b.at(1).is_disk_stuck());
  CHECK(b.config().epoch == 1);
  run_without_disk_1(b, {1, 2, 3}, milliseconds{2000});
  CHECK(b.at(1).is_disk_stuck());
  CHECK(b.at(1).figures().stuck_disks == 1);
  REQUIRE((b.serves(2) || b.serves(3)));
  CHECK(replication::find_node(b.config().in_sync, node_id{1}).run == 0);
  const int next = b.serves(2) ? 2 : 3;
  CHECK(b.at(next).log().last() >= 3);  // what the others had on disk is not lost
  // It follows the next primary, and is waited for by nobody.
  b.propose(next);
  run_without_disk_1(b, {1, 2, 3}, milliseconds{200});
  CHECK(b.at(next).commit() == b.at(next).log().last());
}

TEST_CASE(
    "replica: at the floor a primary whose disk hangs goes on answering reads: nobody can do without it") {
  for (const std::size_t count : {2, 3}) {
    CAPTURE(count);
    bench b(count, 2);
    b.propose(1);
    if (count == 3) {
      b.settle({1, 2, 3});
      b.crash(3);
      b.run({1, 2}, milliseconds{2000});
    } else {
      b.settle({1, 2});
    }
    REQUIRE(b.config().in_sync.size() == 2);
    b.propose(1);
    for (std::uint64_t ticket = 1; ticket < 10; ++ticket) {
      b.step(1, replication::read{ticket, b.at(1).commit()});
      run_without_disk_1(b, {1, 2}, milliseconds{2000});
      CHECK(b.released(1) == ticket);
    }
    CHECK(b.config().epoch == 1);
  }
}

TEST_CASE("replica: R=3, who becomes the primary on a disk that hangs gives way before it has served") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  b.step(1, replication::transfer_to{node_id{2}});
  b.run({1, 2, 3}, milliseconds{300});
  REQUIRE(b.serves(2));
  // Node 1's disk hangs while nothing is written, so it is as good a successor as node 3.
  run_without_disk_1(b, {1, 2, 3}, milliseconds{5000});
  b.step(2, replication::transfer_to{node_id{1}});
  run_without_disk_1(b, {1, 2, 3}, milliseconds{500});
  REQUIRE(b.config().primary.node == node_id{1});
  // Its barrier reaches nobody: entries are read off the disk.
  run_without_disk_1(b, {1, 2, 3}, milliseconds{4000});
  CHECK((b.serves(2) || b.serves(3)));
}

TEST_CASE(
    "replica: R=3, a primary that gave way while the authority was away and goes on is not deposed later") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  b.authority_is_out = true;
  b.propose(1);
  run_without_disk_1(b, {1, 2, 3}, milliseconds{4000});
  CHECK(b.at(1).figures().stuck_disks == 1);
  b.sync(1);
  b.settle({1, 2, 3});
  for (int i = 0; i < 60; ++i) {
    b.propose(1);
    b.run({1, 2, 3}, milliseconds{1000});
    REQUIRE(b.at(1).commit() == b.at(1).log().last());
  }
  b.authority_is_out = false;
  b.run({1, 2, 3}, milliseconds{3000});
  CHECK(b.serves(1));
  CHECK(b.config().epoch == 1);
}

TEST_CASE("replica: R=3, where no disk answers nobody gives way") {
  bench b(3, 2);
  b.propose(1);
  for (int i = 0; i < 200; ++i) {
    for (const int node : {1, 2, 3}) b.tick(node);
    for (const int from : {1, 2, 3})
      for (const int to : {1, 2, 3}) b.deliver(from, to);
  }
  CHECK(b.at(1).is_disk_stuck());
  CHECK(b.at(1).figures().stuck_disks == 0);
  CHECK(b.config().primary.node == node_id{1});
}

TEST_CASE("replica: R=3, a release of an older epoch deposes nobody") {
  for (const auto bug : {mutant::none, mutant::old_release}) {
    CAPTURE(to_string(bug));
    bench b(3, 2, with_bug(bug));
    b.step(1, replication::transfer_to{node_id{2}});
    b.run({1, 2, 3}, milliseconds{300});
    REQUIRE(b.serves(2));
    b.step(2, replication::transfer_to{node_id{1}});
    b.run({1, 2, 3}, milliseconds{300});
    REQUIRE(b.serves(1));
    REQUIRE(b.config().epoch == 3);
    // What node 1 said when it stopped in epoch 1 arrives when it is the primary again.
    replication::message late;
    late.from = b.at(1).self();
    late.to = b.at(3).self();
    late.epoch = 1;
    late.body = replication::release{};
    b.step(3, replication::received{late});
    b.run({1, 2, 3}, milliseconds{1000});
    CHECK((b.config().epoch == 3) == (bug == mutant::none));
  }
}

TEST_CASE("replica: R=3, a copy whose process is going to stop leaves the set before anybody waits for it") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  b.step(3, replication::resign{});
  b.run({1, 2, 3}, milliseconds{100});
  CHECK(b.config().in_sync.size() == 2);
  CHECK(replication::find_node(b.config().in_sync, node_id{3}).run == 0);
  // At the floor nobody leaves: it would be one copy too few.
  b.step(2, replication::resign{});
  b.run({1, 2, 3}, milliseconds{100});
  CHECK(b.config().in_sync.size() == 2);
  b.propose(1);
  b.run({1, 2}, milliseconds{100});
  CHECK(b.at(1).commit() == b.at(1).log().last());
}
