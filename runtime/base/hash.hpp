#pragma once

#include <cstdint>
#include <string_view>

namespace troupe {

/// XXH3, 64 bits. Stable for ever: shards and checksums on disk depend on it.
std::uint64_t stable_hash(std::string_view bytes, std::uint64_t seed = 0);

/// The checksum of stored records: the low half of stable_hash.
std::uint32_t checksum(std::string_view bytes);

}  // namespace troupe
