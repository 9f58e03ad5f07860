#pragma once

#include <cstdint>
#include <vector>

#include "runtime/entity/describe.hpp"

namespace troupe::flash_sale {

/// Percentiles by the nearest-rank method: the smallest value that at least p % of all values do not exceed.
struct latency_summary {
  std::int64_t count = 0;
  std::int64_t p50_us = 0;
  std::int64_t p90_us = 0;
  std::int64_t p99_us = 0;
  std::int64_t p999_us = 0;
  std::int64_t max_us = 0;
  friend bool operator==(const latency_summary&, const latency_summary&) = default;
};
TROUPE_DESCRIBE(latency_summary, count, p50_us, p90_us, p99_us, p999_us, max_us)

latency_summary summarize(std::vector<std::int64_t> values_us);

/// Values from `from_us` up to, not including, `to_us`.
struct latency_bucket {
  std::int64_t from_us = 0;
  std::int64_t to_us = 0;
  std::int64_t winners = 0;
  std::int64_t losers = 0;
  friend bool operator==(const latency_bucket&, const latency_bucket&) = default;
};
TROUPE_DESCRIBE(latency_bucket, from_us, to_us, winners, losers)

/// Buckets with the edges 1, 1.5, 2, 3, 5, 7 times a power of ten, from the one of the least value to the one
/// of the greatest. Empty without values.
std::vector<latency_bucket> latency_histogram(const std::vector<std::int64_t>& winners_us,
                                              const std::vector<std::int64_t>& losers_us);

/// Answers in one stretch of the sale.
struct time_bucket {
  std::int64_t from_ms = 0;
  std::int64_t sold = 0;
  std::int64_t refused = 0;
  friend bool operator==(const time_bucket&, const time_bucket&) = default;
};
TROUPE_DESCRIBE(time_bucket, from_ms, sold, refused)

inline constexpr std::int64_t time_bucket_ms = 10;

/// By the moment of the answer since the start gun. Stretches without an answer are left out.
std::vector<time_bucket> answers_over_time(const std::vector<std::int64_t>& sold_at_us,
                                           const std::vector<std::int64_t>& refused_at_us);

}  // namespace troupe::flash_sale
