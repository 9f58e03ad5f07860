#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::faults {

/// Where the records of a write-ahead log or MANIFEST begin: blocks of 32 KiB,
/// [checksum: 4][length: 2][type: 1][bytes].
inline std::vector<std::size_t> records_of(const std::string& log) {
  constexpr std::size_t block = 32U << 10U;
  constexpr std::size_t header = 7;
  std::vector<std::size_t> out;
  for (std::size_t at = 0; at + header <= log.size();) {
    const auto left = block - at % block;
    const auto byte = [&](std::size_t offset) {
      return static_cast<std::size_t>(static_cast<std::uint8_t>(log[at + offset]));
    };
    if (left < header || byte(6) == 0) {
      at += left;
      continue;
    }
    out.push_back(at);
    at += header + byte(4) + (byte(5) << 8U);
  }
  return out;
}

}  // namespace troupe::faults
