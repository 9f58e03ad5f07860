#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/entity/version_condition.hpp"

namespace troupe::http {

/// `"7"`, the entity tag of version 7.
std::string etag_of(std::uint64_t version);

/// What If-Match and, on a request that changes something, If-None-Match ask of the entity: `*` or one tag;
/// nothing for a list, which cannot be checked in one step with the command. If-Match compares strongly, so a
/// weak tag matches nothing; a tag that none of ours looks like is left to the entity too, because who may
/// not see it has to get the same answer for each tag.
std::optional<version_condition> parse_if_match(std::string_view value);
std::optional<version_condition> parse_if_none_match(std::string_view value);

/// If-None-Match of a read: `*`, or a list of tags compared weakly.
bool none_match_holds(std::string_view value, std::uint64_t version);

}  // namespace troupe::http
