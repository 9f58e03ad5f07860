#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "test/chaos/front_client.hpp"

namespace troupe::chaos {

/// The first attempts of all clients' writes. One without an outcome is a request that failed for a client
/// who does not repeat, whatever came of the attempts after it. Any thread.
class first_attempts {
 public:
  /// Asks, and keeps what has no outcome.
  answer ask(front_client& by, const request& what);

  std::size_t failed() const;
  /// In words, of those that failed, in their order.
  std::string failure(std::size_t number) const;
  /// None of those that began before that time is still open.
  bool have_ended_from_before(std::int64_t time_ns) const;

 private:
  mutable std::mutex mutex_;
  std::multiset<std::int64_t> open_;   // when each began; guarded by mutex_
  std::vector<std::string> failures_;  // guarded by mutex_
};

}  // namespace troupe::chaos
