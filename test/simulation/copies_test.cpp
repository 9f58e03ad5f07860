#include <doctest/doctest.h>

#include "test/simulation/bench.hpp"

// Copies that have lost something, contradict their primary, or come near again: schedules of sections 6, 8
// and 10 of docs/replication.md.

using namespace troupe;              // NOLINT
using namespace troupe::simulation;  // NOLINT
using replication::disk_state;
using replication::replica_role;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// Node 1 alone in the set of a shard that may shrink to one copy, with entries that node 2 lacks.
void leave_alone(bench& b) {
  b.run({1}, seconds{2});
  REQUIRE(b.config().in_sync.size() == 1);
  for (int i = 0; i < 5; ++i) b.propose(1);
  b.settle({1});
  REQUIRE(b.at(1).commit() == b.at(1).log().last());
}

}  // namespace

TEST_CASE("replica: a blank disk that is alone in the set does not make itself the primary of nothing") {
  bench b(2, 1);
  leave_alone(b);
  b.replace_disk(1);
  b.restart(1);
  b.let_meet();
  b.run({1, 2}, seconds{30});
  CHECK_FALSE(b.serves(1));
  CHECK_FALSE(b.serves(2));
  CHECK(b.config().epoch == 1);
  CHECK(b.at(2).role() == replica_role::backup);
}

TEST_CASE("replica: when every disk of the set was replaced, none of them is elected") {
  bench b(3, 2);
  for (int i = 0; i < 3; ++i) b.propose(1);
  b.settle({1, 2, 3});
  for (int node = 1; node <= 3; ++node) b.replace_disk(node);
  for (int node = 1; node <= 3; ++node) b.restart(node);
  b.let_meet();
  b.run({1, 2, 3}, seconds{30});
  for (int node = 1; node <= 3; ++node) CHECK_FALSE(b.serves(node));
  CHECK(b.config().epoch == 1);
}

TEST_CASE("replica: with one sound copy left in the set, a replaced disk is filled from it") {
  bench b(3, 2);
  for (int i = 0; i < 3; ++i) b.propose(1);
  b.settle({1, 2, 3});
  const auto last = b.at(1).log().last();
  b.replace_disk(1);
  b.crash(2);
  b.restart(1);
  b.restart(2);
  b.let_meet();
  b.run({1, 2, 3}, seconds{30});
  CHECK(b.serves(3));
  for (int node = 1; node <= 3; ++node) CHECK(b.at(node).log().last() > last);
}

TEST_CASE("replica: a copy that joined and died before it heard of it is as good as its disk is old") {
  for (const bool is_replaced : {false, true}) {
    CAPTURE(is_replaced);
    bench b(2, 1);
    leave_alone(b);
    b.replace_disk(2);
    b.restart(2);
    b.let_meet();
    // Node 2 never looks at the authority, which is where it would learn that it has joined.
    for (int i = 0; i < 300; ++i) {
      b.tick(1);
      b.settle({1, 2});
    }
    REQUIRE(b.config().in_sync.size() == 2);
    REQUIRE(b.at(2).meta().disk == disk_state::blank);
    b.crash(1);
    if (is_replaced) {
      b.replace_disk(2);
    } else {
      b.crash(2);
    }
    b.restart(2);
    b.run({2}, seconds{30});
    CHECK(b.serves(2) == !is_replaced);
  }
}

TEST_CASE("replica: a copy that contradicts its primary is silent, also after a restart") {
  bench b(3, 2);
  for (int i = 0; i < 3; ++i) b.propose(1);
  b.run({1, 2, 3}, seconds{1});
  REQUIRE(b.at(3).commit() == 4);
  // A primary of the next epoch that lacks what copy 3 knows to be committed: no correct one.
  const auto lacks_it = [&] {
    replication::message m{0, b.at(2).self(), b.at(3).self(), 2, 2, replication::release{}};
    m.body = replication::activate{{{1, 1}}, 3, 0};
    b.step(3, replication::received{m});
  };
  lacks_it();
  b.sync(3);
  CHECK(b.at(3).role() == replica_role::quarantined);
  CHECK(b.at(3).log().last() == 4);
  b.crash(3);
  b.restart(3);
  CHECK(b.at(3).role() == replica_role::quarantined);
  lacks_it();
  b.run({3}, seconds{10});
  CHECK(b.at(3).log().last() == 4);
  CHECK(b.at(3).meta().disk == disk_state::quarantined);
}

TEST_CASE("replica: a copy that is a little behind joins although commits never pause") {
  bench b(3, 2);
  b.run({1, 2}, seconds{2});
  REQUIRE(b.config().in_sync.size() == 2);
  // Node 3 has everything a moment after the others, and by then there is more.
  for (int i = 0; i < 400 && b.config().in_sync.size() < 3; ++i) {
    b.propose(1);
    b.deliver(1, 3);
    b.settle({1, 2});
    b.tick(1);
    b.sync(3);
    b.deliver(3, 1);
    b.tick(2);
    b.tick(3);
  }
  CHECK(b.config().in_sync.size() == 3);
}

TEST_CASE("replica: commits go on when a copy falls silent while it joins, also without the authority") {
  bench b(3, 2);
  b.run({1, 2}, seconds{2});
  REQUIRE(b.config().in_sync.size() == 2);
  // Node 3 lacks what was proposed last, is waited for, and never answers again.
  b.run({1, 2}, seconds{11});
  b.tick(3);
  for (int i = 0; i < 20; ++i) {
    b.deliver(1, 3);
    b.sync(3);
    b.deliver(3, 1);
  }
  b.propose(1);
  b.settle({1, 2});
  b.authority_is_out = true;
  b.tick(1);
  b.propose(1);
  b.settle({1, 2});
  REQUIRE(b.at(1).commit() < b.at(1).log().last());
  b.run({1, 2}, seconds{5});
  CHECK(b.at(1).commit() == b.at(1).log().last());
}

TEST_CASE("replica: what is proposed again and again while the authority is away takes no memory") {
  replication::in_sync_set set;
  const member one{node_id{1}, 1};
  const member two{node_id{2}, 2};
  stored_config now{.shard = 0, .revision = 7, .config = {}};
  now.config.in_sync = {one, two};
  set.accept(now);
  for (int i = 0; i < 1000; ++i) set.propose(7, {one});
  CHECK(set.proposal_count() == 1);
  CHECK(set.maximal().size() == 2);
}

TEST_CASE("replica: entries that are applied are not cut, also where the log still has them") {
  using namespace replication;  // NOLINT
  constexpr member self{node_id{3}, 3}, other{node_id{2}, 2};
  shard_config config;
  config.generation = 1;
  config.epoch = 2;
  config.primary = other;
  config.in_sync = {other, self};
  config.replicas = {node_id{2}, node_id{3}};
  for (const std::uint64_t applied : {2U, 3U}) {
    CAPTURE(applied);
    durable_state found{
        {.generation = 1, .epoch = 1, .disk = disk_state::sound}, log_shape{1, 5, {{1, 1}}}, applied};
    replica core{0, self, {}, found, moment{0}};
    CHECK(core.commit() == applied);
    actions out;
    core.step(moment{1}, config_read{{0, 7, config}}, out);
    message m{0, other, self, 2, 7, activate{{{1, 1}, {2, 3}}, 3, 0}};  // its log of epoch 1 ends at 2
    core.step(moment{2}, received{m}, out);
    CHECK((core.role() == replica_role::quarantined) == (applied == 3));
  }
}
