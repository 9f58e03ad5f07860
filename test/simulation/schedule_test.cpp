#include <doctest/doctest.h>

#include <algorithm>

#include "test/simulation/bench.hpp"

// Schedules that must be exactly so: the named bugs of docs/replication.md, section 16, each with the
// protocol, and where it is short with the bug switched on.

using namespace troupe;              // NOLINT
using namespace troupe::simulation;  // NOLINT
using replication::mutant;
using replication::replica_options;
using std::chrono::milliseconds;

TEST_CASE("replica: one copy alone commits what its disk has, and answers reads at once") {
  bench b(1, 1);
  REQUIRE(b.serves(1));
  b.propose(1);
  CHECK(b.at(1).commit() == 1);
  b.read(1, 1);
  CHECK(b.released(1) == 0);  // reflects an entry that is not committed
  b.sync(1);
  CHECK(b.at(1).commit() == 2);
  CHECK(b.released(1) == 1);
  b.read(1, 2);
  CHECK(b.released(1) == 2);
}

TEST_CASE("replica: R=3, an entry commits when all three disks have it") {
  bench b(3, 2);
  REQUIRE(b.serves(1));
  b.propose(1);
  b.sync(1);
  b.deliver(1, 2);
  b.deliver(1, 3);
  b.sync(2);
  b.deliver(2, 1);
  CHECK(b.at(1).commit() == 1);
  b.sync(3);
  b.deliver(3, 1);
  CHECK(b.at(1).commit() == 2);
}

TEST_CASE("replica: a backup whose acknowledgements got lost catches up through the smallest of windows") {
  replica_options options;
  options.window_entries = 2;
  options.catch_up_entries = 16;
  options.beat = milliseconds{150};
  options.resend_after =
      milliseconds{100};  // so that there is never reason for a beat, which would be acknowledged
  bench b(2, 1, options);
  b.propose(1);
  b.propose(1);
  b.sync(1);
  b.deliver(1, 2);
  b.sync(2);
  b.lose(2, 1);
  // What is sent again now reaches over the end of the backup's log, so it is refused as a gap.
  for (int i = 0; i < 6; ++i) b.propose(1);
  b.lose(1, 2);
  b.run({1, 2}, milliseconds{5000});
  CHECK(b.at(2).log().last() == b.at(1).log().last());
  CHECK(b.at(1).commit() == b.at(1).log().last());
}

TEST_CASE("replica: R=3, an acknowledgement that was lost is repeated") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2});
  b.deliver(1, 3);
  b.sync(3);
  b.lose(3, 1);
  CHECK(b.at(1).commit() == 1);
  b.run({1, 2, 3}, milliseconds{500});
  CHECK(b.at(1).commit() == 2);
  CHECK(b.config().in_sync.size() == 3);
}

TEST_CASE("replica: R=3, a read is answered after everybody in sync was asked once more") {
  bench b(3, 2);
  b.run({1, 2, 3}, milliseconds{300});
  b.read(1, 1);
  CHECK(b.released(1) == 0);
  b.settle({1, 2});
  CHECK(b.released(1) == 0);
  b.settle({1, 2, 3});
  CHECK(b.released(1) == 1);
}

TEST_CASE("replica: R=3, an answer to a question that was asked before the read does not confirm it") {
  for (const auto bug : {mutant::none, mutant::confirm_by_old_acks}) {
    CAPTURE(to_string(bug));
    bench b(3, 2, with_bug(bug));
    b.run({1, 2, 3}, milliseconds{300});
    b.read(1, 1);  // asks
    b.deliver(1, 2);
    b.deliver(1, 3);  // both have answered
    b.read(1, 2);     // evaluated after that
    b.deliver(2, 1);
    b.deliver(3, 1);
    CHECK(b.released(1) == (bug == mutant::none ? 1 : 2));
    b.settle({1, 2, 3});
    CHECK(b.released(1) == 2);
  }
}

TEST_CASE("replica: R=3, an isolated primary answers no read, however its clock runs") {
  bench b(3, 2);
  b.run({1, 2, 3}, milliseconds{300});
  // Node 1 is cut off and its clock stands still; the others elect, serve and write.
  b.run({2, 3}, milliseconds{3000});
  REQUIRE((b.serves(2) || b.serves(3)));
  b.lose(2, 1);
  b.lose(3, 1);
  REQUIRE(b.serves(1));  // so it believes
  b.read(1, 1);
  b.propose(1);
  b.sync(1);
  CHECK(b.released(1) == 0);
  CHECK(b.at(1).commit() == 1);
  b.settle({1, 2, 3});
  CHECK_FALSE(b.serves(1));
  CHECK(b.released(1) == 0);
}

TEST_CASE("replica: R=3, negative control: without confirmation the isolated primary answers a stale read") {
  bench b(3, 2, with_bug(mutant::unconfirmed_reads));
  b.run({2, 3}, milliseconds{3000});
  REQUIRE((b.serves(2) || b.serves(3)));
  b.read(1, 1);
  CHECK(b.released(1) == 1);
}

TEST_CASE(
    "replica: R=3, what a deposed primary wrote alone is cut, also after two failovers in a row (KIP-279)") {
  bench b(3, 2);
  b.propose(1);
  b.sync(1);  // index 2 of epoch 1, on node 1 only
  b.lose(1, 2);
  b.lose(1, 3);
  b.run({2, 3}, milliseconds{3000});
  const int second = b.serves(2) ? 2 : 3;
  const int third = 5 - second;
  REQUIRE(b.serves(second));
  b.propose(second);
  b.settle({2, 3});
  b.propose(second);
  b.sync(second);  // written by the second primary alone
  b.lose(second, third);
  b.lose(second, 1);
  b.lose(1, second);
  b.lose(1, third);
  b.run({1, third}, milliseconds{6000});
  b.run({1, 2, 3}, milliseconds{12000});
  const auto committed = b.at(third).commit();
  CHECK(committed >= 3);
  for (const int node : {1, 2, 3}) {
    CHECK(b.at(node).log().history() == b.at(third).log().history());
    CHECK(b.at(node).log().last() == b.at(third).log().last());
  }
}

TEST_CASE("replica: R=3, a late activate cuts nothing that came in the same epoch") {
  bench b(3, 2);
  // The first activate of epoch 1 arrives once more, after entries of that epoch.
  replication::message late;
  late.from = b.at(1).self();
  late.to = b.at(2).self();
  late.epoch = 1;
  late.body = replication::activate{{}, 1, 1};
  b.propose(1);
  b.settle({1, 2, 3});
  REQUIRE(b.at(2).log().last() == 2);
  b.step(2, replication::received{late});
  CHECK(b.at(2).log().last() == 2);
  CHECK(b.at(2).figures().truncations == 0);
}

TEST_CASE("replica: R=3, at the floor a dead member is swapped, never removed") {
  bench b(3, 2);
  b.run({1, 2}, milliseconds{1000});
  REQUIRE(b.config().in_sync.size() == 2);
  b.propose(1);
  b.run({1}, milliseconds{5000});
  CHECK(b.config().in_sync.size() == 2);
  CHECK(b.at(1).commit() == 1);
  b.run({1, 3}, milliseconds{12000});
  CHECK(b.config().in_sync.size() == 2);
  CHECK(replication::find_node(b.config().in_sync, node_id{3}).run != 0);
  CHECK(b.at(1).commit() == 2);
}

TEST_CASE("replica: R=3, a restarted primary does not go on in its old epoch") {
  bench b(3, 2);
  b.crash(1);
  b.restart(1);
  b.step(1, replication::config_read{b.authority.read(0)});
  CHECK(b.at(1).role() == replication::replica_role::backup);
  b.let_meet();
  b.run({1, 2, 3}, milliseconds{3000});
  CHECK(b.config().epoch == 2);
  CHECK(b.config().primary.node != node_id{1});
}

TEST_CASE("replica: R=3, all restart at once: the longest log is elected by poll, and nothing is lost") {
  bench b(3, 2);
  for (int i = 0; i < 5; ++i) b.propose(1);
  b.settle({1, 2, 3});
  REQUIRE(b.at(1).commit() == 6);
  for (const int node : {1, 2, 3}) b.crash(node);
  for (const int node : {1, 2, 3}) b.restart(node);
  b.let_meet();
  b.run({1, 2, 3}, milliseconds{30000});
  int serving = 0;
  for (const int node : {1, 2, 3}) serving += b.serves(node) ? 1 : 0;
  CHECK(serving == 1);
  for (const int node : {1, 2, 3}) CHECK(b.at(node).commit() >= 6);
}

TEST_CASE("replica: R=2, an acknowledgement of an older epoch does not advance the commit") {
  for (const auto bug : {mutant::none, mutant::epochless_ack}) {
    CAPTURE(to_string(bug));
    bench b(2, 2, with_bug(bug));
    replication::message old;
    old.from = b.at(2).self();
    old.to = b.at(1).self();
    old.epoch = 0;
    old.body = replication::append_ack{2, 1, false, false};
    b.propose(1);
    b.sync(1);
    b.step(1, replication::received{old});
    CHECK(b.at(1).commit() == (bug == mutant::none ? 1 : 2));
  }
}

TEST_CASE("replica: R=3, floor 3: who has answered a poll acknowledges nothing of that revision any more") {
  // Two of three copies lose synced data, one less than the floor; the third must not be outvoted by its own
  // answer from before it received the entry (row 30).
  for (const auto bug : {mutant::none, mutant::no_fence}) {
    CAPTURE(to_string(bug));
    auto options = with_bug(bug);
    options.trust = replication::disk_trust::none;
    bench b(3, 3, options);
    b.propose(1);
    b.sync(1);
    b.deliver(1, 3);
    b.sync(3);
    b.deliver(3, 1);  // node 3 has acknowledged; the message to node 2 is still on its way
    b.crash(3, 1);
    b.restart(3);  // node 1 does not hear of that
    b.step(3, replication::config_read{b.authority.read(0)});
    b.step(3, replication::peer_seen{b.at(2).self()});
    b.step(2, replication::peer_seen{b.at(3).self()});
    auto late = b.link(1, 2);
    b.lose(1, 2);
    // Node 3 hears nothing of node 1 and polls; node 2 answers that its log ends at 1.
    b.run({3}, milliseconds{7000});
    b.deliver(3, 2);
    b.sync(2);
    b.deliver(2, 3);
    b.sync(3);
    for (auto& m : late) b.step(2, replication::received{std::move(m)});
    b.sync(2);
    b.deliver(2, 1);
    const bool is_committed = b.at(1).commit() == 2;
    CHECK(is_committed == (bug == mutant::no_fence));
    if (bug == mutant::none) {
      // Told that node 2 has promised something, node 1 moved the revision on: that poll can win no more.
      CHECK(b.at(1).figures().touches == 1);
      CHECK(b.at(1).config().revision > b.at(2).meta().fence_revision);
      continue;
    }
    // Node 1 loses the entry, too, and answers. Node 3 has all answers now, and the committed entry is lost.
    b.crash(1, 1);
    b.restart(1);
    b.let_meet();
    b.step(1, replication::config_read{b.authority.read(0)});
    b.run({1, 3}, milliseconds{1000});
    CHECK(b.config().epoch == 2);
    CHECK(b.config().primary.node == node_id{3});
    CHECK(b.at(3).log().epoch_at(2) == 2);
  }
}

TEST_CASE("replica: R=3, floor 3: a poll is answered when the promise is on disk, and not before") {
  // The answer before the sync: a crash between them would forget what another one relies on.
  replication::replica_options options;
  options.trust = replication::disk_trust::none;
  bench b(3, 3, options);
  b.crash(3);
  b.restart(3);  // node 1 does not hear of that
  b.step(3, replication::config_read{b.authority.read(0)});
  b.step(3, replication::peer_seen{b.at(2).self()});
  b.step(2, replication::peer_seen{b.at(3).self()});
  const auto poll_answers = [&] {
    const auto& out = b.link(2, 3);
    return std::count_if(out.begin(), out.end(), [](const replication::message& m) {
      return std::holds_alternative<replication::poll_answer>(m.body);
    });
  };
  const auto poll = [&] {
    b.run({3}, milliseconds{7000});  // it hears nothing of node 1
    REQUIRE_FALSE(b.link(3, 2).empty());
    b.deliver(3, 2);
    CHECK(b.at(2).meta().fence_revision == b.authority.read(0).revision);
  };
  poll();
  CHECK(poll_answers() == 0);
  b.crash(2);
  b.restart(2);
  CHECK(b.at(2).meta().fence_revision == 0);
  CHECK(poll_answers() == 0);
  b.step(2, replication::config_read{b.authority.read(0)});
  b.step(2, replication::peer_seen{b.at(3).self()});
  b.step(3, replication::peer_seen{b.at(2).self()});
  poll();
  b.sync(2);
  CHECK(poll_answers() > 0);
  b.crash(2);
  b.restart(2);
  CHECK(b.at(2).meta().fence_revision == b.authority.read(0).revision);
}
