#pragma once

#include <optional>
#include <string>

#include "cluster/history/operation.hpp"
#include "cluster/history/verdict.hpp"

namespace troupe::history {

/// All checks of a history (README.md of this folder says what each of them proves). O(n log n).
verdict check(const recorded_history& history);

/// Why the history cannot be checked at all: it names a SKU that is not set up, or has no operations.
std::optional<std::string> unfit(const recorded_history& history);

}  // namespace troupe::history
