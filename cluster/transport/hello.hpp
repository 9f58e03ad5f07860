#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/authority/shard_config.hpp"

namespace troupe {

/// The first word between two processes. Nothing else is said before both have found that they fit. Raised
/// also when copies make other rows of the same entries.
inline constexpr std::uint32_t transport_protocol = 5;

enum class process_role : std::uint8_t { node = 1, front = 2 };

/// Who speaks.
struct hello {
  std::uint32_t protocol = transport_protocol;
  process_role role = process_role::node;
  uuid cluster;
  std::uint32_t shard_count = 0;
  member who;        // of a front: a number of its own choice, so that its connections can be told apart
  std::string name;  // for people
  friend bool operator==(const hello&, const hello&) = default;
};

void encode(std::string& out, const hello& what);
/// Nothing for bytes that are not a hello of this or a later protocol; of a later one only `protocol` is set.
[[nodiscard]] std::optional<hello> decode_hello(std::string_view bytes);

/// Why `theirs` cannot talk to `ours`; empty when it can.
std::string objection(const hello& ours, const hello& theirs);

}  // namespace troupe
