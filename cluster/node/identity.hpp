#pragma once

#include <optional>
#include <string>
#include <variant>

#include "cluster/authority/shard_config.hpp"
#include "runtime/base/uuid.hpp"
#include "runtime/store/store.hpp"

namespace troupe {

/// Whose data directory this is: the file `member` in it, made with it, completed when its node first
/// registers, and written at each start.
struct identity {
  uuid disk;     // made with the directory
  uuid cluster;  // nil until it has belonged to one
  std::string node_name;
  uuid registered_start{};  // the last one that is known to be registered; nil: none yet
  /// The one that began after it. It is known to be over when a later one is registered; until then it may
  /// have been registered, so it is taken again: nobody ever spoke in its name.
  uuid pending_start{};
  /// The first run in the cluster on this disk; 0: not known. Replicas may be listed by it before they write.
  incarnation disk_since = 0;
  bool is_new = false;       // no file says whose the directory is
  bool knows_starts = true;  // false: a directory of a version that did not keep them

  /// Names this start.
  const uuid& begin_start();
  /// It is registered.
  void confirm_start();
};

/// Makes the identity of a new directory. Refuses a directory of another node, or of `troupe serve`.
std::variant<identity, store_error> load_identity(const std::string& directory, const std::string& node_name);
/// What cannot be written is an error: the next start would not know where the data belongs.
std::optional<store_error> save_identity(const std::string& directory, const identity& what);

}  // namespace troupe
