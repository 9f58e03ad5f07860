#pragma once

#include <cstdint>

namespace troupe {

/// A slice of all entities: the unit of placement, logging and replication. 0 to the cluster's shard count
/// - 1.
using shard_id = std::uint16_t;

}  // namespace troupe
