#include "cluster/placement/placement.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace troupe;

namespace {

using placement::site;

std::vector<site> nodes_up_to(std::uint32_t last) {
  std::vector<site> out;
  for (std::uint32_t i = 1; i <= last; ++i) out.push_back({node_id{i}, {}});
  return out;
}

/// Node i in the i-th zone.
std::vector<site> nodes_in(const std::vector<std::string>& zones) {
  std::vector<site> out;
  for (const auto& zone : zones) out.push_back({node_id{static_cast<std::uint32_t>(out.size() + 1)}, zone});
  return out;
}

bool holds(const std::vector<site>& sites, node_id node) {
  return std::any_of(sites.begin(), sites.end(), [node](const site& s) { return s.node == node; });
}

/// Zones that have a copy of that shard.
std::size_t zones_of(const stored_config& shard, const std::vector<site>& sites) {
  std::set<std::string> out;
  for (const auto& s : sites)
    if (std::binary_search(shard.config.replicas.begin(), shard.config.replicas.end(), s.node))
      out.insert(s.zone);
  return out.size();
}

std::vector<stored_config> new_cluster(std::uint32_t nodes, std::uint32_t replicas,
                                       std::uint16_t shards = 16) {
  std::vector<member> members;
  for (const auto& one : nodes_up_to(nodes)) members.push_back({one.node, 1});
  std::vector<stored_config> out;
  for (shard_id s = 0; s < shards; ++s) out.push_back({s, 1, placement::first_config(s, members, replicas)});
  return out;
}

bool is_in_sync(const shard_config& c, node_id node) {
  return std::any_of(c.in_sync.begin(), c.in_sync.end(), [node](const member& m) { return m.node == node; });
}

/// What the shard's primary makes of it: who belongs there comes in, who does not goes.
void settle(stored_config& s, const std::vector<site>& usable) {
  auto& c = s.config;
  std::erase_if(c.in_sync, [&](const member& m) {
    return std::find(c.replicas.begin(), c.replicas.end(), m.node) == c.replicas.end();
  });
  for (const auto node : c.replicas)
    if (!is_in_sync(c, node) && holds(usable, node)) c.in_sync.push_back({node, 1});
  std::sort(c.in_sync.begin(), c.in_sync.end());
  if (!is_in_sync(c, c.primary.node)) c.primary = c.in_sync.front();
}

struct outcome {
  std::size_t added = 0;
  std::size_t fewest = 100;  // copies in sync of any shard at any time
};

/// Until nothing is left to be done.
outcome carry_out_all(std::vector<stored_config>& shards, const std::vector<site>& usable) {
  outcome out;
  for (int i = 0; i < 1000; ++i) {
    const auto step = placement::next_move(shards, usable);
    if (!step) return out;
    auto& s = shards[step->shard];
    CHECK(step->expected_revision == s.revision);
    CHECK(std::is_sorted(step->replicas.begin(), step->replicas.end()));
    out.added += step->replicas.size() > s.config.replicas.size() ? 1 : 0;
    s.config.replicas = step->replicas;
    ++s.revision;
    CHECK((placement::is_whole(shards, usable) || !placement::next_move(shards, usable)));
    settle(s, usable);
    for (const auto& one : shards) out.fewest = std::min(out.fewest, one.config.in_sync.size());
  }
  FAIL("it never ends");
  return out;
}

std::map<node_id, std::size_t> copies(const std::vector<stored_config>& shards) {
  std::map<node_id, std::size_t> out;
  for (const auto& s : shards)
    for (const auto node : s.config.replicas) ++out[node];
  return out;
}

}  // namespace

TEST_CASE("placement: a new cluster is even, in copies and primaries, and needs no move") {
  for (const std::uint32_t nodes : {3U, 4U, 5U, 8U}) {
    CAPTURE(nodes);
    auto shards = new_cluster(nodes, 3, 40);
    std::map<node_id, std::size_t> primaries;
    for (const auto& s : shards) {
      ++primaries[s.config.primary.node];
      CHECK(std::set<node_id>(s.config.replicas.begin(), s.config.replicas.end()).size() == 3);
    }
    for (const auto& [node, count] : primaries) CHECK(count >= 40 / nodes);
    CHECK_FALSE(placement::next_move(shards, nodes_up_to(nodes)));
  }
}

TEST_CASE("placement: a node that joins gets its part, no more is moved, and copies are never fewer") {
  auto shards = new_cluster(3, 3);
  const auto done = carry_out_all(shards, nodes_up_to(4));
  CHECK(done.added == 12);
  CHECK(done.fewest == 3);
  for (const auto& [node, count] : copies(shards)) CHECK(count == 12);
  for (const auto& s : shards) CHECK(s.config.replicas.size() == 3);
}

TEST_CASE("placement: what was on a node that is gone for good goes to others, where there are others") {
  auto shards = new_cluster(4, 3);
  const std::vector<site> left{{node_id{1}, {}}, {node_id{2}, {}}, {node_id{4}, {}}};
  const auto done = carry_out_all(shards, left);
  CHECK(done.added == 12);
  for (const auto& [node, count] : copies(shards)) CHECK((node != node_id{3} && count == 16));

  auto few = new_cluster(3, 3);
  CHECK_FALSE(placement::next_move(few, nodes_up_to(2)));
}

TEST_CASE("placement: while a copy is missing nothing else is moved") {
  auto shards = new_cluster(3, 3);
  shards[5].config.in_sync.pop_back();
  CHECK_FALSE(placement::next_move(shards, nodes_up_to(4)));
  shards[5].config.epoch = 0;  // not founded
  CHECK_FALSE(placement::next_move(shards, nodes_up_to(4)));
  CHECK_FALSE(placement::next_move({}, nodes_up_to(4)));
}

namespace {

/// Fewest and most of any node.
std::pair<std::size_t, std::size_t> spread(const std::map<node_id, std::size_t>& count) {
  const auto [least, most] = std::minmax_element(
      count.begin(), count.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return {least->second, most->second};
}

/// Fewest and most preferred primaries of any node that has copies.
std::pair<std::size_t, std::size_t> spread_of_primaries(const std::vector<stored_config>& shards) {
  std::map<node_id, std::size_t> count;
  for (const auto& [node, held] : copies(shards)) count[node] = 0;
  const auto preferred = placement::preferred_primaries(shards);
  REQUIRE(preferred.size() == shards.size());
  for (const auto& s : shards) {
    const auto node = preferred[s.shard];
    CHECK(std::binary_search(s.config.replicas.begin(), s.config.replicas.end(), node));
    ++count[node];
  }
  return spread(count);
}

}  // namespace

TEST_CASE("placement: each node is preferred as the primary of as many shards, give or take one") {
  for (std::uint32_t nodes = 1; nodes <= 9; ++nodes)
    for (std::uint32_t replicas = 1; replicas <= std::min(nodes, 5U); ++replicas)
      for (const std::uint16_t count : std::initializer_list<std::uint16_t>{1, 16, 24, 61}) {
        CAPTURE(nodes);
        CAPTURE(replicas);
        CAPTURE(count);
        const auto shards = new_cluster(nodes, replicas, count);
        const auto [least, most] = spread_of_primaries(shards);
        CHECK(most - least <= 1);
        // As the cluster begins, so that nothing is handed over.
        const auto preferred = placement::preferred_primaries(shards);
        for (const auto& s : shards) CHECK(preferred[s.shard] == s.config.primary.node);
      }
}

TEST_CASE("placement: preferred primaries are as even after nodes have come and gone") {
  auto shards = new_cluster(3, 3);
  for (const std::uint32_t nodes : {4U, 5U, 6U, 8U}) {
    CAPTURE(nodes);
    carry_out_all(shards, nodes_up_to(nodes));
    const auto [least, most] = spread_of_primaries(shards);
    CHECK(most - least <= 1);
  }
  auto left = nodes_up_to(8);
  left.erase(left.begin() + 2);
  carry_out_all(shards, left);
  const auto [least, most] = spread_of_primaries(shards);
  CHECK(most - least <= 1);
}

namespace {

/// Nodes hand over what another one is to have, one at a time and in an order of chance, until nothing is
/// left to be done. How many did.
std::size_t hand_over_all(std::vector<stored_config>& shards, std::mt19937& chance) {
  for (std::size_t done = 0; done < 10 * shards.size(); ++done) {
    const auto preferred = placement::preferred_primaries(shards);
    std::vector<shard_id> due;
    for (const auto& s : shards)
      if (preferred[s.shard] != s.config.primary.node) due.push_back(s.shard);
    if (due.empty()) return done;
    const auto shard = due[chance() % due.size()];
    shards[shard].config.primary = {preferred[shard], 1};
  }
  FAIL("it never ends");
  return 0;
}

}  // namespace

TEST_CASE("placement: a node that joins is given its part of the primaries, and no other primary moves") {
  std::mt19937 chance{1};
  for (const std::uint16_t count : std::initializer_list<std::uint16_t>{16, 256}) {
    CAPTURE(count);
    const auto before = new_cluster(3, 3, count);
    auto shards = before;
    carry_out_all(shards, nodes_up_to(4));
    hand_over_all(shards, chance);
    std::size_t moved = 0;
    for (const auto& s : shards) moved += s.config.primary != before[s.shard].config.primary ? 1 : 0;
    CHECK(moved == count / 4);
  }
}

TEST_CASE(
    "placement: wherever copies and primaries are, primaries get as even as they can with few hand-overs") {
  std::mt19937 chance{2};
  for (int round = 0; round < 1000; ++round) {
    CAPTURE(round);
    const auto nodes = static_cast<std::uint32_t>(2 + chance() % 7);
    auto shards = new_cluster(nodes, 1, static_cast<std::uint16_t>(1 + chance() % 40));
    for (auto& s : shards) {
      auto& all = s.config.replicas;
      for (auto more = chance() % 3; more > 0; --more) {
        const node_id other{static_cast<std::uint32_t>(1 + chance() % nodes)};
        if (std::find(all.begin(), all.end(), other) == all.end()) all.push_back(other);
      }
      std::sort(all.begin(), all.end());
      s.config.primary = {all[chance() % (1 + chance() % all.size())], 1};
    }
    const auto before = spread_of_primaries(shards);
    std::size_t planned = 0;
    const auto preferred = placement::preferred_primaries(shards);
    for (const auto& s : shards) planned += preferred[s.shard] != s.config.primary.node ? 1 : 0;
    CHECK(hand_over_all(shards, chance) <= planned + nodes);
    CHECK(spread_of_primaries(shards) == before);
  }
}

TEST_CASE("placement: where copies leave no choice, preferred primaries are as even as can be") {
  // Nodes 1 and 2 hold all shards, 3 only one of them.
  std::vector<stored_config> shards(7);
  for (shard_id i = 0; i < 7; ++i) {
    shards[i].shard = i;
    shards[i].config.replicas = {node_id{1}, node_id{2}};
  }
  shards[0].config.replicas.push_back(node_id{3});
  const auto [least, most] = spread_of_primaries(shards);
  CHECK(least == 1);
  CHECK(most == 3);
  CHECK(placement::preferred_primaries({stored_config{}}) == std::vector{node_id::none});
}

TEST_CASE("placement: a new cluster has each shard in as many zones as there are copies") {
  auto sites = nodes_in({"a", "a", "b", "b", "c", "c"});
  placement::alternate_zones(sites);
  std::vector<member> members;
  for (const auto& one : sites) members.push_back({one.node, 1});
  std::vector<stored_config> shards;
  for (shard_id s = 0; s < 18; ++s) shards.push_back({s, 1, placement::first_config(s, members, 3)});
  for (const auto& s : shards) CHECK(zones_of(s, sites) == 3);
  CHECK_FALSE(placement::next_move(shards, sites));
}

TEST_CASE("placement: copies go to other zones when there are some, and stay even") {
  struct situation {
    std::vector<std::string> zones;
    std::size_t zones_each;
  };
  for (const auto& one : std::vector<situation>{{{"a", "a", "a", "b", "c"}, 3},
                                                {{"a", "a", "b", "b", "c", "c"}, 3},
                                                {{"a", "a", "a", "b"}, 2},
                                                {{"a", "b", "b", "c", "c", "c", "d"}, 3}}) {
    CAPTURE(one.zones.size());
    auto shards = new_cluster(3, 3);  // before anybody had named a zone
    const auto sites = nodes_in(one.zones);
    const auto done = carry_out_all(shards, sites);
    CHECK(done.fewest == 3);
    for (const auto& s : shards) {
      CHECK(s.config.replicas.size() == 3);
      CHECK(zones_of(s, sites) == one.zones_each);
    }
  }
  // Where zones leave a choice, each node has as many, give or take one.
  auto shards = new_cluster(3, 3, 24);
  const auto sites = nodes_in({"a", "b", "c", "a", "b", "c"});
  carry_out_all(shards, sites);
  for (const auto& [node, count] : copies(shards)) CHECK(count == 12);
}

TEST_CASE("placement: a zone that is gone for good is made up for, and comes back into its own") {
  auto shards = new_cluster(3, 3);
  const auto all = nodes_in({"a", "b", "c", "a", "b"});
  carry_out_all(shards, all);
  auto left = all;
  std::erase_if(left, [](const site& s) { return s.zone == "c"; });
  carry_out_all(shards, left);
  for (const auto& s : shards) CHECK(zones_of(s, left) == 2);
  carry_out_all(shards, all);
  for (const auto& s : shards) CHECK(zones_of(s, all) == 3);
}
