#include <doctest/doctest.h>

#include "cluster/replica/in_sync_set.hpp"
#include "cluster/replica/log_shape.hpp"
#include "cluster/replica/read_gate.hpp"

using namespace troupe;               // NOLINT
using namespace troupe::replication;  // NOLINT

TEST_CASE("log shape: knows the epoch of every index, and forgets what is cut") {
  log_shape log;
  log.append(3, 1);
  log.append(4, 1);
  log.append(9, 4);
  CHECK(log.end() == log_position{4, 9});
  CHECK(log.epoch_at(0) == 0);
  CHECK(log.epoch_at(4) == 1);
  CHECK(log.epoch_at(5) == 4);
  CHECK(log.history_until(4) == epoch_history{{1, 1}});
  log.truncate(4);
  CHECK(log.end() == log_position{1, 4});
  log.truncate(7);
  CHECK(log.last() == 4);
  log.reset(20, {{1, 1}, {6, 12}});
  CHECK(log.start() == 21);
  CHECK(log.end() == log_position{6, 20});
}

TEST_CASE("log shape: two logs are the same up to the end of the newest epoch that began alike in both") {
  struct {
    epoch_history mine;
    std::uint64_t my_last;
    epoch_history theirs;
    std::uint64_t their_last;
    std::uint64_t common;
  } const rows[] = {
      {{}, 0, {}, 0, 0},
      {{}, 0, {{1, 1}}, 5, 0},
      {{{1, 1}}, 5, {{1, 1}}, 9, 5},
      {{{1, 1}}, 9, {{1, 1}}, 5, 5},
      {{{1, 1}}, 9, {{1, 1}, {2, 6}}, 8, 5},
      {{{1, 1}, {2, 4}}, 9, {{1, 1}, {3, 6}}, 8, 3},  // KIP-101: by length it would be 8
      {{{1, 1}, {3, 5}},
       9,
       {{1, 1}, {2, 5}, {4, 7}},
       8,
       4},  // KIP-279: by the newest epoch alone it would be 6
      {{{1, 1}, {2, 5}, {4, 9}}, 12, {{1, 1}, {2, 5}, {3, 8}}, 10, 7},
      {{{2, 1}}, 5, {{1, 1}}, 5, 0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.my_last);
    CAPTURE(row.their_last);
    const log_shape mine(1, row.my_last, row.mine);
    CHECK(mine.common_end(row.theirs, row.their_last) == row.common);
    const log_shape theirs(1, row.their_last, row.theirs);
    CHECK(theirs.common_end(row.mine, row.my_last) == row.common);
  }
}

TEST_CASE("read gate: a read waits for its index and for a round of which nothing was sent before it") {
  read_gate gate;
  gate.add(1, 5, false);
  const auto first = gate.stamp();
  CHECK(gate.wanted() == first);
  gate.add(2, 5, false);  // after the stamp
  CHECK(gate.release(4, first) == 0);
  CHECK(gate.release(5, first) == 1);
  CHECK(gate.release(5, first) == 0);
  const auto second = gate.stamp();
  CHECK(second == first + 1);
  gate.add(3, 9, false);
  CHECK(gate.release(5, second) == 2);
  CHECK(gate.release(9, second) == 0);
  CHECK(gate.release(9, gate.stamp()) == 3);
  CHECK(gate.is_empty());
}

TEST_CASE("in-sync set: counts what was proposed until a greater revision settles it") {
  const member a{node_id{1}, 1};
  const member b{node_id{2}, 2};
  const member c{node_id{3}, 3};
  in_sync_set set;
  stored_config config{0, 10, {}};
  config.config.in_sync = {a, b};
  set.accept(config);
  set.propose(10, {a, b, c});
  set.propose(10, {a, b});
  CHECK(set.maximal() == std::vector{a, b, c});
  set.accept(config);  // the same revision tells nothing
  CHECK(set.has_proposal());
  CHECK(set.maximal() == std::vector{a, b, c});
  config.revision = 11;
  set.accept(config);
  CHECK_FALSE(set.has_proposal());
  CHECK(set.maximal() == std::vector{a, b});
  CHECK(with({a, b}, {node_id{2}, 9}) == std::vector{a, member{node_id{2}, 9}});
  CHECK(without({a, b}, node_id{1}) == std::vector{b});
  CHECK(find_node({a, b}, node_id{3}).run == 0);
}
