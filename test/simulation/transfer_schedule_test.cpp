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
