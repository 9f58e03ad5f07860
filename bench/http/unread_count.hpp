#pragma once

#include <cstdint>
#include <vector>

#include "bench/http/load_options.hpp"

namespace troupe::bench {

/// The sum of the unread counts of these users, as the server tells it to each of them.
std::int64_t unread_sum(const client::endpoint& server, const std::vector<caller>& users);

/// Waits until the sum reaches `expected`. Throws client::environment_error when it does not within the
/// patience, or goes beyond it: a notification was doubled.
void await_unread(const client::endpoint& server, const std::vector<caller>& users, std::int64_t expected);

}  // namespace troupe::bench
