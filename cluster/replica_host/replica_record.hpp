#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cluster/replica/action.hpp"

namespace troupe {

/// What a replica keeps beside its log, as it lies in the store.
std::string encode_replica_record(const replication::replica_meta& meta);
/// Nothing for bytes that are not such a record of this format.
std::optional<replication::replica_meta> decode_replica_record(std::string_view bytes);

}  // namespace troupe
