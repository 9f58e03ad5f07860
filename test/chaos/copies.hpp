#pragma once

#include <map>
#include <string>

namespace troupe::chaos {

/// Whether all copies are at one entry of their shard's log, and have applied it, by what `troupe status
/// --json` says of each node (by its name). Empty: they are. Otherwise one that is not, or a node that says
/// nothing, in words.
std::string copy_behind(const std::map<std::string, std::string>& stats);

}  // namespace troupe::chaos
