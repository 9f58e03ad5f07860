#include <doctest/doctest.h>

#include "test/simulation/bench.hpp"

// Schedules of broken connections, restarts and full disks: how soon a shard goes on.

using namespace troupe;              // NOLINT
using namespace troupe::simulation;  // NOLINT
using std::chrono::milliseconds;

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

TEST_CASE("replica: R=3, the answer to an earlier poll counts for no later one") {
  bench b(3, 2);
  for (int i = 0; i < 3; ++i) b.propose(1);
  b.settle({1, 2, 3});
  for (const int node : {1, 2, 3}) b.crash(node);
  b.restart(2);
  b.restart(3);
  b.let_meet();
  // Node 2 asks for the words of the others: 1 is away, and 3's answers are lost.
  const auto answer_as = [&](int node, std::uint64_t nonce) {
    replication::message late;
    late.from = node == 1 ? member{node_id{1}, 1} : b.at(node).self();
    late.to = b.at(2).self();
    late.epoch = 1;
    late.body = replication::poll_answer{nonce, {1, 1}, replication::disk_state::sound, 1};
    b.step(2, replication::received{late});
  };
  std::uint64_t nonce = 0;
  for (int i = 0; i < 200 && nonce == 0; ++i) {
    b.tick(2);
    for (const auto& m : b.link(2, 3))
      if (const auto* body = std::get_if<replication::poll>(&m.body)) nonce = body->nonce;
    b.lose(2, 3);
    b.sync(2);
  }
  REQUIRE(nonce != 0);
  for (const int node : {1, 3}) answer_as(node, nonce - 1);
  CHECK(b.at(2).figures().elections_by_poll == 0);
  CHECK(b.config().epoch == 1);
  for (const int node : {1, 3}) answer_as(node, nonce);
  CHECK(b.at(2).figures().elections_by_poll == 1);
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

TEST_CASE("replica: R=3, ticks are wanted often while somebody may be dead, and for no longer") {
  bench b(3, 2);
  b.propose(1);
  b.run({1, 2, 3}, milliseconds{300});
  const replication::replica_options defaults;
  for (const int node : {1, 2, 3}) CHECK_FALSE(b.at(node).is_in_haste());
  b.step(2, replication::peer_lost{b.at(1).self()});
  CHECK(b.at(2).is_in_haste());
  CHECK_FALSE(b.at(3).is_in_haste());
  b.step(1, replication::peer_lost{b.at(3).self()});
  CHECK(b.at(1).is_in_haste());
  // Who speaks is not dead.
  b.run({1, 2, 3}, milliseconds{500});
  for (const int node : {1, 2, 3}) CHECK_FALSE(b.at(node).is_in_haste());
  // Alone, and nobody comes: it does not spin for ever.
  b.step(2, replication::peer_lost{b.at(1).self()});
  REQUIRE(b.at(2).is_in_haste());
  b.authority_is_out = true;
  b.run({2}, std::chrono::ceil<milliseconds>(defaults.stall_after) + milliseconds{2000});
  CHECK_FALSE(b.at(2).is_in_haste());
}

TEST_CASE("replica: R=3, a read does not wait for a tick when a copy joins meanwhile") {
  bench b(3, 2);
  b.propose(1);
  b.run({1, 2, 3}, milliseconds{300});
  b.crash(3);
  b.run({1, 2}, milliseconds{1500});
  REQUIRE(b.config().in_sync.size() == 2);
  b.restart(3);
  b.let_meet();
  for (std::uint64_t ticket = 1; ticket <= 40; ++ticket) {
    CAPTURE(ticket);
    CAPTURE(b.config().in_sync.size());
    b.read(1, ticket);
    // Its question is under way when the tick lets somebody in.
    for (int node : {1, 2, 3}) b.tick(node);
    b.settle({1, 2, 3});
    CHECK(b.released(1) == ticket);
    if (ticket % 3 == 0) b.propose(1);
  }
  CHECK(b.config().in_sync.size() == 3);
}
