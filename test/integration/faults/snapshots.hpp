#pragma once

#include "test/integration/faults/life.hpp"

namespace troupe::faults {

/// Snapshots of all shards after some of the script's entries, made by a life on a disk of its own.
std::vector<snapshot> snapshots_of(const script& plan);

}  // namespace troupe::faults
