#include <doctest/doctest.h>

#include <algorithm>

#include "test/simulation/bench.hpp"

// Schedules of an authority that was restored from a backup, went on and gave an epoch out twice, and of a
// start that ended before anything was on disk (docs/replication.md, sections 7.6 and 10).

using namespace troupe;              // NOLINT
using namespace troupe::simulation;  // NOLINT
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// Node `node` becomes the primary of epoch 2, again, by what the backup holds: a revision newer than all
/// that was seen.
void elect_again(bench& b, const shard_config& backup, int node) {
  auto again = backup;
  again.epoch = 2;
  again.primary = b.at(node).self();
  again.in_sync = replication::with(again.in_sync, b.at(node).self());
  REQUIRE(b.authority.cas(0, b.authority.read(0).revision, again).outcome == cas_outcome::won);
}

/// Of three nodes the first is away, so node 2 or 3 is the primary of epoch 2, and has entries of it: that
/// one.
int found_epoch_2(bench& b) {
  b.run({2, 3}, seconds{3});
  REQUIRE((b.serves(2) || b.serves(3)));
  const int first = b.serves(2) ? 2 : 3;
  for (int i = 0; i < 5; ++i) b.propose(first);
  b.settle({2, 3});
  return first;
}

bool is_in_sync(bench& b, int node) {
  const auto self = b.at(node).self();
  return replication::find_node(b.config().in_sync, self.node) == self;
}

}  // namespace

TEST_CASE(
    "replica: R=3, an epoch is given out twice: who holds entries of the first one takes part in nothing any "
    "more") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    bench b(3, 2);
    const auto backup = b.authority.read(0).config;
    const int first = found_epoch_2(b);
    const int other = 5 - first;
    const auto end = b.at(other).log().last();
    REQUIRE(b.at(other).log().last_epoch() == 2);
    for (int from : {1, 2, 3})
      for (int to : {1, 2, 3}) b.lose(from, to);
    b.crash(1);
    b.restart(1);
    if (restarts) {
      b.crash(other);
      b.restart(other);
    }
    b.step(1, replication::peer_seen{b.at(other).self()});
    b.step(other, replication::peer_seen{b.at(1).self()});
    elect_again(b, backup, 1);
    for (int node : {1, other}) b.step(node, replication::config_read{b.authority.read(0)});
    CHECK(b.at(other).figures().impossible_configs == 1);
    b.run({1, other}, seconds{15});
    CHECK(b.at(other).role() == replication::replica_role::quarantined);
    CHECK_FALSE((b.serves(1) && is_in_sync(b, other)));
    CHECK(b.at(other).log().last() == end);
    CHECK(b.at(other).figures().cut_entries == 0);
    b.crash(other);
    b.restart(other);
    CHECK(b.at(other).role() == replication::replica_role::quarantined);
  }
}

TEST_CASE("replica: R=3, an epoch that is given out twice to one node is another run's the second time") {
  bench b(3, 2);
  const auto backup = b.authority.read(0).config;
  const int first = found_epoch_2(b);
  const int other = 5 - first;
  const auto end = b.at(other).log().last();
  // It comes back with an empty disk, as an operator who knows no better may let it.
  b.replace_disk(first);
  b.restart(first);
  b.let_meet();
  elect_again(b, backup, first);
  b.step(first, replication::config_read{b.authority.read(0)});
  b.run({1, 2, 3}, seconds{5});
  CHECK(b.at(other).role() == replication::replica_role::quarantined);
  CHECK(b.at(other).log().last() == end);
}

TEST_CASE(
    "replica: R=2, the primary of an epoch that was given out twice does not go on with the other's "
    "entries") {
  for (const bool is_raised : {true, false}) {  // the restored authority's revision, above all that was seen
    CAPTURE(is_raised);
    bench b(2, 1);
    const auto backup = b.authority;
    const auto config = b.authority.read(0).config;
    b.run({2}, seconds{5});
    REQUIRE(b.serves(2));
    for (int i = 0; i < 5; ++i) b.propose(2);
    b.settle({2});
    REQUIRE(b.at(2).commit() >= 6);
    for (int i = 0; i < 20; ++i) {
      const auto now = b.authority.read(0);
      REQUIRE(b.authority.cas(0, now.revision, now.config).outcome == cas_outcome::won);
    }
    b.step(2, replication::config_read{b.authority.read(0)});
    b.settle({2});
    b.lose(1, 2);
    b.lose(2, 1);
    if (!is_raised) b.authority = backup;
    for (int node : {1, 2}) {
      b.crash(node);
      b.restart(node);
    }
    b.let_meet();
    elect_again(b, config, 1);
    b.step(1, replication::config_read{b.authority.read(0)});
    b.run({1}, seconds{5});
    REQUIRE(b.serves(1));
    for (int i = 0; i < 20; ++i) b.propose(1);
    b.run({1}, seconds{1});
    b.step(2, replication::config_read{b.authority.read(0)});
    b.run({1, 2}, seconds{30});
    CHECK_FALSE(is_in_sync(b, 2));
    CHECK(b.at(2).role() == replication::replica_role::quarantined);
    CHECK(b.serves(1));
  }
}

TEST_CASE(
    "replica: processes that all end between the founding of a shard and their first write serve it "
    "afterwards") {
  for (const int count : {1, 3}) {
    CAPTURE(count);
    bench b(static_cast<std::size_t>(count), count == 1 ? 1 : 2);
    std::vector<int> all;
    for (int node = 1; node <= count; ++node) all.push_back(node);
    for (int node : all) b.crash_before_first_write(node);
    for (int node : all) b.restart(node);
    b.let_meet();
    b.run(all, seconds{60});
    CHECK(std::any_of(all.begin(), all.end(), [&](int node) { return b.serves(node); }));
  }
}

TEST_CASE("replica: copies that were all replaced do not found their shard again, and say that they wait") {
  bench b(3, 2);
  for (int node : {1, 2, 3}) b.replace_disk(node);
  for (int node : {1, 2, 3}) b.restart(node);
  b.let_meet();
  b.run({1, 2, 3}, seconds{60});
  int waiting = 0;
  for (int node : {1, 2, 3}) {
    CHECK_FALSE(b.serves(node));
    waiting += b.at(node).is_waiting_for_copies() ? 1 : 0;
  }
  CHECK(waiting > 0);
}
