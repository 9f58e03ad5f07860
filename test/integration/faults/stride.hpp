#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>

namespace troupe::faults {

/// The step at which `points` are tried: 1 with TROUPE_FAULTS=all, else so that it is about `count` of them.
inline std::size_t stride_for(std::size_t points, std::size_t count) {
  const char* asked = std::getenv("TROUPE_FAULTS");
  if (asked != nullptr && std::string{asked} == "all") return 1;
  return std::max<std::size_t>(1, points / count);
}

}  // namespace troupe::faults
