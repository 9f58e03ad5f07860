#include <doctest/doctest.h>

#include "test/simulation/bench.hpp"

// Schedules of what the authority says, and of words that no correct process says (docs/replication.md,
// sections 6, 7 and 14).

using namespace troupe;              // NOLINT
using namespace troupe::simulation;  // NOLINT
using replication::mutant;
using std::chrono::milliseconds;

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

TEST_CASE(
    "replica: a second primary of an epoch is not followed, and whoever has entries of the first leaves") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  const auto log_end = b.at(3).log().last();
  // An authority that was set back gave the epoch to node 2 as well, and node 3 hears of that.
  replication::message claim;
  claim.from = b.at(2).self();
  claim.to = b.at(3).self();
  claim.epoch = b.at(3).epoch();
  claim.revision = b.authority.read(0).revision - 1;
  claim.body = replication::activate{{{1, 1}}, 2, 9};
  const auto refused = b.at(3).figures().bad_messages;
  b.step(3, replication::received{claim});
  CHECK(b.at(3).figures().bad_messages == refused + 1);
  CHECK(b.link(3, 2).empty());  // nothing is acknowledged to it
  CHECK(b.at(3).role() == replication::replica_role::quarantined);
  CHECK(b.at(3).log().last() == log_end);
  // The first one goes on without that copy.
  b.propose(1);
  b.run({1, 2}, milliseconds{2000});
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

TEST_CASE("replica: an operator's repair raises the generation, and nobody goes back behind it") {
  bench b(3, 2);
  b.propose(1);
  b.settle({1, 2, 3});
  // The authority was lost; the operator makes node 2 the primary, at a revision above all that were seen.
  auto repaired = b.authority.read(0);
  repaired.revision += 100;
  ++repaired.config.generation;
  ++repaired.config.epoch;
  repaired.config.primary = b.at(2).self();
  for (int node : {1, 2, 3}) b.step(node, replication::config_read{repaired});
  b.settle({1, 2, 3});
  CHECK(b.serves(2));
  CHECK_FALSE(b.serves(1));
  // What was left of the old one goes on counting, and overtakes.
  auto old = repaired;
  old.revision += 100;
  --old.config.generation;
  ++old.config.epoch;
  old.config.primary = b.at(3).self();
  for (int node : {1, 2, 3}) {
    const auto refused = b.at(node).figures().impossible_configs;
    b.step(node, replication::config_read{old});
    CHECK(b.at(node).figures().impossible_configs == refused + 1);
    CHECK(b.at(node).meta().generation == repaired.config.generation);
  }
  b.settle({1, 2, 3});
  CHECK(b.serves(2));
  CHECK_FALSE(b.serves(3));
  // After a restart, too.
  b.crash(3);
  b.restart(3);
  const auto refused = b.at(3).figures().impossible_configs;
  b.step(3, replication::config_read{old});
  CHECK(b.at(3).figures().impossible_configs == refused + 1);
}
