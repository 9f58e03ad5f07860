#include <doctest/doctest.h>

#include "test/simulation/bench.hpp"

// Schedules of copies that are too far behind, or contradict the primary (docs/replication.md, section 8).

using namespace troupe;              // NOLINT
using namespace troupe::simulation;  // NOLINT
using std::chrono::milliseconds;

namespace {

/// Node 3 has been away while the others wrote, and forgot what it lacks; the first pieces of a snapshot are
/// on their way to it.
bench with_node_3_behind() {
  bench b(3, 2);
  b.run({1, 2}, milliseconds{1000});
  for (int i = 0; i < 10; ++i) b.propose(1);
  b.run({1, 2}, milliseconds{1000});
  REQUIRE(b.config().in_sync.size() == 2);
  b.compact(1);
  b.compact(2);
  b.lose(1, 3);
  for (int i = 0; i < 40 && b.at(1).figures().snapshots_sent == 0; ++i) {
    b.tick(1);
    b.deliver(1, 3);
    b.deliver(3, 1);
  }
  REQUIRE(b.at(1).figures().snapshots_sent == 1);
  return b;
}

/// Of three.
void receive_two_pieces(bench& b) {
  for (int i = 0; i < 10 && b.staged(3).size() < 200; ++i) {
    b.deliver(1, 3, 1);
    b.deliver(3, 1);
  }
  REQUIRE(b.staged(3).size() == 200);
}

void check_that_node_3_is_back(bench& b) {
  b.run({1, 2, 3}, milliseconds{15000});
  CHECK(b.config().in_sync.size() == 3);
  CHECK(b.at(3).figures().snapshots_installed == 1);
  CHECK(b.at(3).log().start() > 1);
  for (const int node : {1, 2, 3}) {
    CHECK(b.at(node).log().last() == b.at(1).log().last());
    CHECK(b.at(node).commit() == b.at(1).commit());
  }
}

}  // namespace

TEST_CASE("replica: R=3, a snapshot whose receiver restarts in the middle begins again") {
  auto b = with_node_3_behind();
  receive_two_pieces(b);
  CHECK(b.at(3).log().last() == 1);
  b.crash(3);
  b.restart(3);
  CHECK(b.at(3).log().last() == 1);
  b.let_meet();
  check_that_node_3_is_back(b);
  CHECK(b.at(1).figures().snapshots_sent == 2);
}

TEST_CASE("replica: R=3, a snapshot whose sender dies in the middle is sent again by the next primary") {
  auto b = with_node_3_behind();
  receive_two_pieces(b);
  b.crash(1);
  b.run({2, 3}, milliseconds{20000});
  REQUIRE(b.serves(2));  // with node 3, that has everything by then
  CHECK(b.at(3).figures().snapshots_abandoned == 1);
  b.restart(1);
  b.let_meet();
  check_that_node_3_is_back(b);
  CHECK(b.at(2).figures().snapshots_sent >= 1);
}

TEST_CASE("replica: R=3, a snapshot with a damaged piece is refused as a whole, and comes again") {
  auto b = with_node_3_behind();
  auto& part = std::get<replication::snapshot_part>(b.link(1, 3).back().body);
  REQUIRE(part.bytes);
  auto damaged = *part.bytes;
  damaged[7] ^= 1;
  part.bytes = std::make_shared<const std::string>(damaged);
  while (b.at(3).figures().bad_messages == 0) {
    REQUIRE_FALSE((b.link(1, 3).empty() && b.link(3, 1).empty()));
    b.deliver(1, 3, 1);
    b.deliver(3, 1);
  }
  CHECK(b.at(3).figures().snapshots_installed == 0);
  CHECK(b.at(3).log().last() == 1);
  check_that_node_3_is_back(b);
}

TEST_CASE(
    "replica: R=3, a copy that would have to cut what is committed is left as it is, and takes no part") {
  bench b(3, 2);
  for (int i = 0; i < 5; ++i) b.propose(1);
  b.run({1, 2, 3}, milliseconds{500});
  REQUIRE(b.at(3).commit() == 6);
  replication::message m;
  m.from = b.at(2).self();
  m.to = b.at(3).self();
  m.epoch = 2;
  m.body = replication::activate{{{1, 1}}, 4, 1};  // says that epoch 1 ended with 3
  b.lose(3, 1);
  b.lose(3, 2);
  b.step(3, replication::received{m});
  CHECK(b.at(3).role() == replication::replica_role::quarantined);
  CHECK(b.at(3).log().last() == 6);
  CHECK(b.at(3).meta().disk == replication::disk_state::quarantined);
  b.propose(1);
  b.deliver(1, 3);
  b.tick(3, milliseconds{10000});
  CHECK(b.at(3).log().last() == 6);
  CHECK(b.link(3, 1).empty());
  CHECK(b.link(3, 2).empty());
}
