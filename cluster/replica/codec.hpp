#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cluster/replica/message.hpp"

namespace troupe::replication {

/// Appends one frame: [format][cluster][shard][from][to][epoch][revision][kind][body][XXH3-64 of all before].
void encode_message(std::string& out, const uuid& cluster, const message& what);

/// Nothing for bytes that are damaged, of another cluster or format, or not a message: whoever sent them,
/// they are safe to look at. Never allocates more than a small multiple of the size of `frame`.
[[nodiscard]] std::optional<message> decode_message(const uuid& cluster, std::string_view frame);

bool operator==(const message& a, const message& b);

}  // namespace troupe::replication
