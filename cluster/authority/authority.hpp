#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cluster/authority/shard_config.hpp"
#include "runtime/base/shard_id.hpp"

namespace troupe {

/// A shard's config as the authority holds it; revision 0 means that it holds none.
struct stored_config {
  shard_id shard = 0;
  std::uint64_t revision = 0;
  shard_config config;
};

enum class cas_outcome : std::uint8_t {
  won,       // `now` is what was proposed, with its revision
  conflict,  // another write was first: `now` is what the authority holds
  // It may have been done, or may still be done later: only a greater revision tells. Never
  // repeat it blindly, and never take it for a failure.
  unknown,
};

struct cas_result {
  cas_outcome outcome = cas_outcome::unknown;
  stored_config now;
};

struct read_result {
  bool ok = false;  // false: the authority could not be reached; nothing else is set
  std::vector<stored_config> configs;
  std::string error;
};

/// Who decides, per shard, {epoch, primary, in-sync set}: a linearizable compare-and-set register a shard,
/// and nothing else. Each callback is called once, on a thread of the authority's, within
/// the deadline it was made with; no call blocks.
class authority {
 public:
  virtual ~authority() = default;
  virtual void read_all(std::function<void(read_result)> done) = 0;
  /// Writes `proposed` if the shard's revision still is `expected_revision` (0: there is none yet).
  virtual void cas(shard_id shard, std::uint64_t expected_revision, const shard_config& proposed,
                   std::function<void(cas_result)> done) = 0;
  /// Called when something may have changed. It may be late, missing, repeated or wrong: read_all() tells.
  virtual void on_hint(std::function<void()> changed) = 0;
};

}  // namespace troupe
