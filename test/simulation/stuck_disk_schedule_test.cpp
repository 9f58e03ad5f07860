#include <doctest/doctest.h>

#include <set>
#include <vector>

#include "test/simulation/bench.hpp"

/// Disks that neither sync nor fail (docs/replication.md, section 9).
using namespace troupe;
using namespace troupe::simulation;
using std::chrono::milliseconds;

namespace {

/// Ticks, messages and syncs of these nodes, except that no sync of a disk that hangs returns.
void run_without_disks(bench& b, const std::set<int>& hang, const std::vector<int>& nodes,
                       milliseconds how_long) {
  for (milliseconds passed{}; passed < how_long; passed += milliseconds{50}) {
    for (const int node : nodes) b.tick(node);
    for (int i = 0; i < 4; ++i)
      for (const int from : nodes) {
        for (const int to : nodes) b.deliver(from, to);
        if (!hang.contains(from)) b.sync(from);
      }
  }
}

/// Node 1 is the primary, 3 was silent for a moment and is level again, but not in the set, which is at the
/// floor.
void let_3_be_outside(bench& b) {
  b.propose(1);
  b.settle({1, 2, 3});
  b.run({1, 2}, milliseconds{1000});
  REQUIRE(replication::find_node(b.config().in_sync, node_id{3}).run == 0);
  b.run({1, 2, 3}, milliseconds{1000});
  REQUIRE(b.config().in_sync.size() == 2);
}

void make_2_the_primary(bench& b) {
  b.propose(1);
  b.settle({1, 2, 3});
  b.step(1, replication::transfer_to{node_id{2}});
  b.run({1, 2, 3}, milliseconds{300});
  REQUIRE(b.serves(2));
}

/// Its disk hangs while the authority is away, and answers again.
void let_1_give_way_in_vain(bench& b) {
  b.propose(1);
  b.settle({1, 2, 3});
  b.authority_is_out = true;
  b.propose(1);
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{4000});
  CHECK(b.at(1).figures().stuck_disks == 1);
  b.sync(1);
  b.settle({1, 2, 3});
}

/// When the authority is back.
void check_that_1_stays(bench& b) {
  b.authority_is_out = false;
  b.run({1, 2, 3}, milliseconds{3000});
  CHECK(b.serves(1));
  CHECK(b.config().epoch == 1);
}

/// At node 1, one every two seconds.
void check_that_reads_go_on(bench& b, const std::set<int>& hang, const std::vector<int>& nodes) {
  for (std::uint64_t ticket = 1; ticket < 10; ++ticket) {
    b.step(1, replication::read{ticket, b.at(1).commit()});
    run_without_disks(b, hang, nodes, milliseconds{2000});
    CHECK(b.released(1) == ticket);
  }
  CHECK(b.config().epoch == 1);
}

}  // namespace

TEST_CASE("replica: R=3, a primary whose disk does not answer gives way to a copy whose disk does") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  b.propose(1);
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{2000});
  CHECK(b.at(1).commit() < b.at(1).log().last());
  CHECK_FALSE(b.at(1).is_disk_stuck());
  CHECK(b.config().epoch == 1);
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{2000});
  CHECK(b.at(1).is_disk_stuck());
  CHECK(b.at(1).figures().stuck_disks == 1);
  REQUIRE((b.serves(2) || b.serves(3)));
  CHECK(replication::find_node(b.config().in_sync, node_id{1}).run == 0);
  const int next = b.serves(2) ? 2 : 3;
  CHECK(b.at(next).log().last() >= 3);  // what the others had on disk is not lost
  // It follows the next primary, and is waited for by nobody.
  b.propose(next);
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{200});
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
    check_that_reads_go_on(b, {1}, {1, 2});
  }
}

TEST_CASE("replica: R=3, who becomes the primary on a disk that hangs gives way before it has served") {
  bench b(3, 2);
  make_2_the_primary(b);
  // Node 1's disk hangs while nothing is written, so it is as good a successor as node 3.
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{5000});
  b.step(2, replication::transfer_to{node_id{1}});
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{500});
  REQUIRE(b.config().primary.node == node_id{1});
  // Its barrier reaches nobody: entries are read off the disk.
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{4000});
  CHECK((b.serves(2) || b.serves(3)));
}

TEST_CASE(
    "replica: R=3, a primary that gave way while the authority was away and goes on is not deposed later") {
  bench b(3, 2);
  let_1_give_way_in_vain(b);
  for (int i = 0; i < 60; ++i) {
    b.propose(1);
    b.run({1, 2, 3}, milliseconds{1000});
    REQUIRE(b.at(1).commit() == b.at(1).log().last());
  }
  check_that_1_stays(b);
}

TEST_CASE("replica: R=3, where no disk answers nobody gives way") {
  bench b(3, 2);
  b.propose(1);
  run_without_disks(b, {1, 2, 3}, {1, 2, 3}, milliseconds{10000});
  CHECK(b.at(1).is_disk_stuck());
  CHECK(b.at(1).figures().stuck_disks == 0);
  CHECK(b.config().primary.node == node_id{1});
}

TEST_CASE(
    "replica: R=3, at the floor a primary whose disk hangs gives way when another copy can be swapped in") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  b.crash(3);
  b.run({1, 2}, milliseconds{2000});
  REQUIRE(b.config().in_sync.size() == 2);
  b.propose(1);  // which node 3 lacks
  b.settle({1, 2});
  b.propose(1);
  const auto last = b.at(1).log().last();
  b.restart(3);
  b.let_meet();
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{9000});
  REQUIRE(b.serves(2));
  CHECK(b.at(2).commit() > last);  // what waited for the disk, and the barrier
  CHECK(replication::find_node(b.config().in_sync, node_id{1}).run == 0);
}

TEST_CASE("replica: R=3, at the floor nobody gives way to a copy that made no progress before either") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  // Node 3's disk hangs first, so it leaves the set.
  b.propose(1);
  run_without_disks(b, {3}, {1, 2, 3}, milliseconds{4000});
  REQUIRE(b.config().in_sync.size() == 2);
  b.propose(1);
  check_that_reads_go_on(b, {1, 3}, {1, 2, 3});
}

TEST_CASE("replica: R=3, at the floor nobody gives way to a copy whose disk hangs too") {
  for (const auto apart : {milliseconds{0}, milliseconds{2000}}) {
    CAPTURE(apart.count());
    bench b(3, 2);
    let_3_be_outside(b);
    b.propose(1);
    run_without_disks(b, {3}, {1, 2, 3}, apart);
    b.propose(1);
    check_that_reads_go_on(b, {1, 3}, {1, 2, 3});
    CHECK(b.config().in_sync.size() == 2);  // nor does it join
  }
}

TEST_CASE("replica: R=3, at the floor a primary gives way to a copy that was away when the disk stopped") {
  bench b(3, 2);
  let_3_be_outside(b);
  b.propose(1);
  b.run({1, 2}, milliseconds{4000});
  b.propose(1);
  run_without_disks(b, {1}, {1, 2}, milliseconds{500});
  for (const int other : {1, 2}) {
    b.lose(other, 3);
    b.lose(3, other);
  }
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{9000});
  CHECK(b.serves(2));
}

TEST_CASE(
    "replica: R=3, at the floor who hangs before it serves gives way when another copy can be swapped in") {
  bench b(3, 2);
  let_3_be_outside(b);
  run_without_disks(b, {2}, {1, 2, 3}, milliseconds{4000});  // nothing is written, so nobody knows
  b.step(1, replication::transfer_to{node_id{2}});
  run_without_disks(b, {2}, {1, 2, 3}, milliseconds{500});
  REQUIRE(b.config().primary.node == node_id{2});
  run_without_disks(b, {2}, {1, 2, 3}, milliseconds{8000});
  CHECK(b.serves(1));
  CHECK(replication::find_node(b.config().in_sync, node_id{2}).run == 0);
}

TEST_CASE(
    "replica: R=3, of two disks that hang neither is the next primary's, and one that answers again is enough") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  b.propose(1);
  run_without_disks(b, {1, 2}, {1, 2, 3}, milliseconds{4000});
  CHECK(b.config().primary.node == node_id{3});  // though node 2 would be first in turn
  run_without_disks(b, {2}, {1, 2, 3}, milliseconds{6000});
  CHECK(b.serves(3));
}

TEST_CASE("replica: R=3, while every disk hangs epochs do not chase each other") {
  bench b(3, 2);
  let_3_be_outside(b);
  run_without_disks(b, {2}, {1, 2, 3}, milliseconds{4000});
  b.step(1, replication::transfer_to{node_id{2}});
  run_without_disks(b, {1, 2, 3}, {1, 2, 3}, milliseconds{60000});
  CHECK(b.config().epoch <= 12);
  b.run({1, 2, 3}, milliseconds{4000});
  CHECK((b.serves(1) || b.serves(2) || b.serves(3)));
}

TEST_CASE("replica: R=3, when a primary's disk answers again nobody is blamed for what waited behind it") {
  bench b(3, 2);
  make_2_the_primary(b);
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{1000});
  b.step(2, replication::transfer_to{node_id{1}});
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{2950});
  REQUIRE(b.config().primary.node == node_id{1});
  REQUIRE(b.at(1).figures().stuck_disks == 0);
  b.sync(1);
  for (int i = 0; i < 3; ++i) b.tick(1);  // before an acknowledgement
  b.run({1, 2, 3}, milliseconds{1000});
  CHECK(b.serves(1));
  CHECK(b.config().in_sync.size() == 3);
}

TEST_CASE("replica: R=3, when a primary's disk answers again the others have as long as ever") {
  bench b(3, 2);
  make_2_the_primary(b);
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{1000});
  b.step(2, replication::transfer_to{node_id{1}});
  run_without_disks(b, {1}, {1, 2, 3}, milliseconds{2950});
  REQUIRE(b.config().primary.node == node_id{1});
  b.sync(1);
  run_without_disks(b, {3}, {1, 2, 3}, milliseconds{1000});  // a slow sync
  b.run({1, 2, 3}, milliseconds{1000});
  CHECK(b.serves(1));
  CHECK(b.config().in_sync.size() == 3);
}

TEST_CASE(
    "replica: R=3, a primary that gave way, whose disk answers at once and that idles then, is not deposed later") {
  bench b(3, 2);
  let_1_give_way_in_vain(b);
  b.run({1, 2, 3}, milliseconds{60000});
  REQUIRE(b.at(1).commit() == b.at(1).log().last());
  check_that_1_stays(b);
}
