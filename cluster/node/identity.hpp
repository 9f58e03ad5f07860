#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/base/uuid.hpp"
#include "runtime/store/store.hpp"

namespace troupe {

/// Whose data directory this is: the file `member` in it, made with it, completed when its node first
/// registers, and written at each start.
struct identity {
  uuid disk;     // made with the directory
  uuid cluster;  // nil until it has belonged to one
  std::string node_name;
  /// What names a start. The first is the last one that is known to be registered, the others began after it
  /// and did not get so far, as far as is known. None: a directory of a version that did not keep them.
  std::optional<std::vector<uuid>> starts{};

  /// Names this start; the last one that was registered stays among them, and the newest.
  uuid begin_start();
  /// It is registered: the others are over.
  void confirm_start(const uuid& start) { starts = {start}; }
};

/// Makes the identity of a new directory. Refuses a directory of another node, or of `troupe serve`.
std::variant<identity, store_error> load_identity(const std::string& directory, const std::string& node_name);
/// What cannot be written is an error: the next start would not know where the data belongs.
std::optional<store_error> save_identity(const std::string& directory, const identity& what);

}  // namespace troupe
