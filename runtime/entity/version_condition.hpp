#pragma once

#include <cstdint>
#include <limits>

namespace troupe {

/// What has to hold of an entity's version for a command to have an effect (If-Match, If-None-Match). 0 is
/// the version of an entity that was never written.
struct version_condition {
  enum class demand : std::uint8_t { none, equal, different };
  demand what = demand::none;
  std::uint64_t version = 0;

  version_condition() = default;
  /// That very version.
  version_condition(std::uint64_t wanted) : what(demand::equal), version(wanted) {}

  static version_condition exists() { return other_than(0); }
  static version_condition absent() { return {0}; }
  static version_condition other_than(std::uint64_t unwanted) {
    version_condition made{unwanted};
    made.what = demand::different;
    return made;
  }
  /// Holds for no entity.
  static version_condition never() { return {std::numeric_limits<std::uint64_t>::max()}; }

  bool holds_for(std::uint64_t present) const {
    switch (what) {
      case demand::none:
        return true;
      case demand::equal:
        return present == version;
      case demand::different:
        return present != version;
    }
    return false;
  }
  friend bool operator==(const version_condition&, const version_condition&) = default;
};

}  // namespace troupe
