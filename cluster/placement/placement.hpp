#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/authority/authority.hpp"

/// Where copies and primaries belong. Pure: what is known goes in, the next change comes out. Who carries it
/// out does so by compare-and-set, so that two who do not agree cost a refused write and nothing else.
namespace troupe::placement {

/// A node that may hold copies, and where it stands. What is in one zone may fail together; a cluster that
/// names no zones has one, "".
struct site {
  node_id node = node_id::none;
  std::string zone;
};

/// In an order in which neighbours are of different zones, as far as there are so many nodes in each.
void alternate_zones(std::vector<site>& sites);

/// Of a new cluster: copies and primaries spread evenly, each shard's copies on different nodes. `nodes`: at
/// least `replicas`; neighbours get copies of the same shard. The nonce is the caller's.
shard_config first_config(shard_id shard, const std::vector<member>& nodes, std::uint32_t replicas);

/// The copy of each shard that is to be its primary when all are well: the same number for each node, give or
/// take one, as far as copies allow; the one that is it already wherever that may stay. none: it has none.
std::vector<node_id> preferred_primaries(const std::vector<stored_config>& shards);

/// Every copy of every shard on a usable node is in sync.
bool is_whole(const std::vector<stored_config>& shards, const std::vector<site>& usable);

/// Where one shard's copies belong from now on.
struct move {
  shard_id shard = 0;
  std::uint64_t expected_revision = 0;
  std::vector<node_id> replicas;  // sorted
  friend bool operator==(const move&, const move&) = default;
};

/// The next step towards copies of a shard in as many zones as can be, then as many copies on each node, give
/// or take one, and none on a node that is not usable; no value: nothing is to be done, or the step before is
/// still under way. A copy is added, is waited for, and only then the one that it stands for goes, so that
/// there are never fewer than before. Of all ways one that moves the fewest copies.
std::optional<move> next_move(const std::vector<stored_config>& shards, const std::vector<site>& usable);

}  // namespace troupe::placement
