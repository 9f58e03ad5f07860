#include <doctest/doctest.h>

#include "test/simulation/bench.hpp"

// Schedules that must be exactly so: the named bugs of docs/replication.md, section 16, each with the
// protocol, and where it is short with the bug switched on.

using namespace troupe;              // NOLINT
using namespace troupe::simulation;  // NOLINT
using replication::mutant;
using replication::replica_options;
using std::chrono::milliseconds;

namespace {

replica_options with_bug(mutant bug) {
  replica_options options;
  options.bug = bug;
  return options;
}

}  // namespace

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

TEST_CASE("replica: R=3, a change whose answer was lost counts until a greater revision is seen") {
  for (const auto bug : {mutant::none, mutant::reread_means_failed}) {
    CAPTURE(to_string(bug));
    bench b(3, 2, with_bug(bug));
    b.run({1, 2}, milliseconds{1000});  // node 3 is silent and leaves
    REQUIRE(b.config().in_sync.size() == 2);
    b.cas_fate = bench::fate::held;  // node 3 is back; that it joins is written later than all answers
    const auto proposed = [&] { return b.at(1).maximal_in_sync().size() == 3; };
    for (int i = 0; i < 300 && !proposed(); ++i) b.run({1, 2, 3}, milliseconds{50});
    REQUIRE(proposed());
    REQUIRE(b.config().in_sync.size() == 2);
    b.step(1, replication::config_read{b.authority.read(0)});  // still shows the old revision
    const auto& counted = b.at(1).maximal_in_sync();
    const bool is_counted = replication::find_node(counted, node_id{3}).run != 0;
    CHECK(is_counted == (bug == mutant::none));
    b.apply_held();
    CHECK(b.config().in_sync.size() == 3);
  }
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

TEST_CASE("replica: an authority that was rolled back is not believed") {
  bench b(3, 2);
  const auto first = b.authority.read(0);
  b.run({1, 2}, milliseconds{1000});
  REQUIRE(b.at(1).config().revision > first.revision);
  b.step(1, replication::config_read{first});
  b.step(2, replication::config_read{{0, first.revision + 1000, {}}});  // and one that makes no sense
  CHECK(b.at(1).config().revision > first.revision);
  CHECK(b.at(1).figures().refused_configs >= 1);
  CHECK(b.at(2).figures().refused_configs >= 1);
  CHECK(b.at(2).epoch() == 1);
}

TEST_CASE(
    "replica: messages of another run, shard or epoch, and acknowledgements of what was never sent, change "
    "nothing") {
  bench b(3, 2);
  replication::message m;
  m.from = b.at(2).self();
  m.to = b.at(1).self();
  m.epoch = 1;
  m.body = replication::append_ack{1'000'000, 1'000'000, false, false};
  b.step(1, replication::received{m});
  CHECK(b.at(1).figures().bad_messages == 1);
  m.to.run += 7;
  b.step(1, replication::received{m});
  m.to.run -= 7;
  m.shard = 3;
  b.step(1, replication::received{m});
  CHECK(b.at(1).figures().foreign == 2);
  m.shard = 0;
  m.body = replication::append{1'000, 1, {{1'000, 1'001, 1, 1, nullptr}}};
  b.step(1, replication::received{m});  // an append to the primary, in its own epoch
  CHECK(b.at(1).figures().bad_messages == 2);
  CHECK(b.at(1).commit() == 1);
  CHECK(b.at(1).log().last() == 1);
}

TEST_CASE("replica: R=3, a primary whose connection breaks is replaced before its silence would be noticed") {
  bench b(3, 2);
  b.propose(1);
  b.run({1, 2, 3}, milliseconds{300});
  const auto old = b.at(1).self();
  for (const int node : {2, 3}) b.step(node, replication::peer_lost{old});
  b.run({2, 3}, milliseconds{300});  // suspicion alone takes twice as long
  CHECK(b.serves(2));
  CHECK(b.at(2).commit() >= 2);
  CHECK(b.config().in_sync.size() == 2);
}

TEST_CASE("replica: R=3, a connection that breaks while its primary lives deposes nobody") {
  for (const bool all_are_told : {false, true}) {
    CAPTURE(all_are_told);
    bench b(3, 2);
    b.propose(1);
    b.run({1, 2, 3}, milliseconds{300});
    const auto primary = b.at(1).self();
    b.step(2, replication::peer_lost{primary});
    if (all_are_told) b.step(3, replication::peer_lost{primary});
    b.run({1, 2, 3}, milliseconds{2000});
    CHECK(b.serves(1));
    CHECK(b.config().epoch == 1);
  }
}

TEST_CASE("replica: R=3, a backup whose connection breaks holds commits up for no longer than two beats") {
  for (const bool is_dead : {true, false}) {
    CAPTURE(is_dead);
    bench b(3, 2);
    b.propose(1);
    b.run({1, 2, 3}, milliseconds{300});
    b.step(1, replication::peer_lost{b.at(3).self()});
    b.propose(1);
    if (is_dead) {
      b.run({1, 2}, milliseconds{250});
    } else {
      b.run({1, 2, 3}, milliseconds{250});
    }
    CHECK(b.at(1).commit() == b.at(1).log().last());
    CHECK(b.config().in_sync.size() == (is_dead ? 2 : 3));
  }
}

TEST_CASE("replica: R=3, a process that is started again joins as soon as it has everything") {
  bench b(3, 2);
  b.propose(1);
  b.run({1, 2, 3}, milliseconds{300});
  b.crash(3);
  b.run({1, 2}, milliseconds{1000});
  REQUIRE(b.config().in_sync.size() == 2);
  b.restart(3);
  b.let_meet();
  b.run({1, 2, 3}, milliseconds{1000});
  CHECK(b.config().in_sync.size() == 3);
}

TEST_CASE("replica: R=3, when all processes were started again, nobody waits for one that was in sync") {
  bench b(3, 2);
  b.propose(1);
  b.run({1, 2, 3}, milliseconds{300});
  for (const int node : {1, 2, 3}) b.crash(node);
  for (const int node : {1, 2, 3}) b.restart(node);
  b.let_meet();
  b.run({1, 2, 3}, milliseconds{1500});  // the delay of a restarted one alone is 3 s
  CHECK(b.config().epoch == 2);
  CHECK((b.serves(1) || b.serves(2) || b.serves(3)));
  b.run({1, 2, 3}, milliseconds{1500});
  CHECK(b.config().in_sync.size() == 3);
}

TEST_CASE("replica: R=3, a backup whose disk is full leaves before it holds anything up for long") {
  bench b(3, 2);
  b.propose(1);
  b.run({1, 2, 3}, milliseconds{300});
  b.step(3, replication::storage_full{true});
  b.propose(1);
  b.run({1, 2, 3}, milliseconds{500});
  CHECK(b.at(1).commit() == b.at(1).log().last());
  CHECK(b.config().in_sync.size() == 2);
}

TEST_CASE("replica: R=3, a backup whose connection breaks between two beats stays in the set") {
  bench b(3, 2);
  b.propose(1);
  b.run({1, 2, 3}, milliseconds{300});
  b.step(1, replication::peer_lost{b.at(3).self()});
  // One word that was under way; then a new connection, before the next beat.
  b.run({1, 2, 3}, milliseconds{50});
  b.run({1, 2}, milliseconds{50});
  b.step(1, replication::peer_seen{b.at(3).self()});
  b.run({1, 2}, milliseconds{200});
  b.run({1, 2, 3}, milliseconds{500});
  CHECK(b.config().in_sync.size() == 3);
}

TEST_CASE("replica: a joiner whose outcome is unknown is asked before a read is answered") {
  for (const auto bug : {mutant::none, mutant::confirm_by_known_set}) {
    CAPTURE(to_string(bug));
    bench b(2, 1, with_bug(bug));
    b.run({1}, milliseconds{3000});
    REQUIRE(b.config().in_sync.size() == 1);
    b.propose(1);
    b.settle({1});
    // Node 2 comes back; that it joined is written, and node 1 does not hear so.
    b.let_meet();
    b.cas_fate = bench::fate::answer_lost;
    for (int i = 0; i < 600 && b.config().in_sync.size() < 2; ++i) b.run({1, 2}, milliseconds{50});
    REQUIRE(b.config().in_sync.size() == 2);
    b.cas_fate = bench::fate::answered;
    // They are cut off from each other, node 1 from the authority too: node 2 is elected and writes.
    for (int i = 0; i < 200 && !b.serves(2); ++i) {
      b.lose(1, 2);
      b.lose(2, 1);
      b.tick(2);
      b.sync(2);
    }
    REQUIRE(b.serves(2));
    REQUIRE(b.serves(1));  // so it believes
    b.propose(2);
    b.sync(2);
    b.read(1, 5);
    CHECK(b.released(1) == (bug == mutant::none ? 0 : 5));
  }
}

TEST_CASE("replica: a second primary of an epoch is not followed") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  const auto log_end = b.at(3).log().last();
  // An authority that was set back gave the epoch to node 2 as well, and node 3 hears of that.
  replication::message claim;
  claim.from = b.at(2).self();
  claim.to = b.at(3).self();
  claim.epoch = b.at(3).epoch();
  claim.revision = b.authority.read(0).revision + 5;
  claim.body = replication::activate{{{1, 1}}, 2, 9};
  const auto refused = b.at(3).figures().bad_messages;
  b.step(3, replication::received{claim});
  claim.body = replication::append{log_end, 9, {}};
  b.step(3, replication::received{claim});
  CHECK(b.at(3).figures().bad_messages == refused + 2);
  CHECK(b.link(3, 2).empty());  // nothing is acknowledged to it
  b.propose(1);
  b.settle({1, 2, 3});
  CHECK(b.at(1).commit() == 3);
}

TEST_CASE("replica: an authority's word that cannot be true is refused, counted, and changes nothing") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  const auto known = b.authority.read(0);
  std::vector<stored_config> wrong(7, known);
  for (auto& w : wrong) w.revision += 5;
  wrong[0].config.primary = b.at(2).self();  // a second one in the same epoch
  wrong[1].config.epoch += 1;                // the primary is not in sync
  wrong[1].config.primary = b.at(2).self();
  wrong[1].config.in_sync = {b.at(1).self(), b.at(3).self()};
  wrong[2].config.min_in_sync = 9;  // more than there are
  wrong[3].config.in_sync = {b.at(1).self(), b.at(1).self()};
  wrong[4].shard = 7;
  wrong[5].config.in_sync.clear();
  wrong[6].revision = known.revision;  // says something else than it said before
  wrong[6].config.replicas.pop_back();
  std::uint64_t refused = 0;
  for (const auto& w : wrong) {
    CAPTURE(refused);
    ++refused;
    for (int node : {1, 2, 3}) {
      const auto before = b.at(node).describe();
      b.step(node, replication::config_read{w});
      CHECK(b.at(node).describe() == before);
      CHECK(b.at(node).figures().impossible_configs == refused);
    }
  }
  CHECK(b.serves(1));
  CHECK_FALSE(b.serves(2));
  b.propose(1);
  b.settle({1, 2, 3});
  CHECK(b.at(1).commit() == 3);
}
