#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/base/uuid.hpp"

namespace troupe {

/// A node's number in its cluster, given out once by the authority for a node name and never reused.
enum class node_id : std::uint32_t { none = 0 };

/// Which run of a node: the authority's revision at the moment the process registered, so a later start
/// always has a greater one.
using incarnation = std::uint64_t;

/// One run of one node. A restarted node is another member until it has been verified.
struct member {
  node_id node = node_id::none;
  incarnation run = 0;
  friend auto operator<=>(const member&, const member&) = default;
};

/// The authority's word on one shard. Changed only by compare-and-set on its revision; another primary always
/// means another epoch, one greater than the last.
struct shard_config {
  std::uint64_t generation = 0;  // raised by an operator's unsafe repair only
  std::uint64_t epoch = 0;
  member primary;
  std::vector<member> in_sync;    // sorted; never empty once the shard exists
  std::vector<node_id> replicas;  // where copies belong (placement's wish); sorted
  std::uint32_t min_in_sync = 1;  // the in-sync set never shrinks below this many
  uuid written_by;                // a nonce of the writer's: tells whose write won when the answer got lost
  friend bool operator==(const shard_config&, const shard_config&) = default;
};

/// Why the config must not be written or believed; empty when it is sound.
std::string fault_in(const shard_config& config);

}  // namespace troupe
