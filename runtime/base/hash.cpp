#include "runtime/base/hash.hpp"

#include <xxhash.h>

namespace troupe {

std::uint64_t stable_hash(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint32_t checksum(std::string_view bytes) { return static_cast<std::uint32_t>(stable_hash(bytes)); }

}  // namespace troupe
