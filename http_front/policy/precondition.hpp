#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::http {

/// `"7"`, the entity tag of version 7.
std::string etag_of(std::uint64_t version);

/// What If-Match asks for. Tags are compared strongly, so a weak one matches nothing.
struct if_match {
  enum class demand : std::uint8_t { nothing, version, impossible, several };
  demand what = demand::nothing;
  std::uint64_t version = 0;
};
/// `*` demands nothing here: whether the entity exists is for its handler to say. Several tags cannot be
/// checked in one step with the command.
if_match parse_if_match(std::string_view value);

/// If-None-Match: `*`, or a list of tags compared weakly.
bool none_match_holds(std::string_view value, std::uint64_t version);

}  // namespace troupe::http
