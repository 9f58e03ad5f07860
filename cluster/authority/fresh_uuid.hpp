#pragma once

#include "runtime/base/uuid.hpp"

namespace troupe {

/// An id that nobody else has: for clusters, disks and the nonces of writers.
uuid fresh_uuid();

}  // namespace troupe
