#pragma once

#include <string>
#include <variant>

#include "runtime/base/uuid.hpp"
#include "runtime/store/store.hpp"

namespace troupe {

/// Whose data directory this is: the file `member` in it, made with it and completed when its node first
/// registers.
struct identity {
  uuid disk;     // made with the directory
  uuid cluster;  // nil until it has belonged to one
  std::string node_name;
};

/// Makes the identity of a new directory. Refuses a directory of another node, or of `troupe serve`.
std::variant<identity, store_error> load_identity(const std::string& directory, const std::string& node_name);
/// What cannot be written is an error: the next start would not know where the data belongs.
std::optional<store_error> save_identity(const std::string& directory, const identity& what);

}  // namespace troupe
