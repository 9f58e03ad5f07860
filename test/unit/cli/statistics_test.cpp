#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "cli/flash_sale/statistics.hpp"

using namespace troupe::flash_sale;

TEST_CASE("statistics: percentiles are values that occurred, by nearest rank") {
  std::vector<std::int64_t> values(1000);
  std::iota(values.begin(), values.end(), 1);
  std::reverse(values.begin(), values.end());
  CHECK(summarize(values) == latency_summary{1000, 500, 900, 990, 999, 1000});
  CHECK(summarize({7}) == latency_summary{1, 7, 7, 7, 7, 7});
  CHECK(summarize({2, 1}) == latency_summary{2, 1, 2, 2, 2, 2});
  CHECK(summarize({}) == latency_summary{});
}

TEST_CASE("statistics: the histogram runs from the least to the greatest value, empty buckets in between") {
  CHECK(latency_histogram({10, 14}, {15, 49}) ==
        std::vector<latency_bucket>{{10, 15, 2, 0}, {15, 20, 0, 1}, {20, 30, 0, 0}, {30, 50, 0, 1}});
  CHECK(latency_histogram({0}, {}) == std::vector<latency_bucket>{{0, 10, 1, 0}});
  CHECK(latency_histogram({}, {}).empty());
}

TEST_CASE("statistics: every value is in exactly one bucket, however great") {
  const std::vector<std::int64_t> values{
      0, 9, 10, 999, 1'000, 69'999, 70'000, 5'000'000'000, 9'000'000'000'000};
  std::int64_t total = 0;
  for (const auto& b : latency_histogram(values, values)) total += b.winners + b.losers;
  CHECK(total == 2 * static_cast<std::int64_t>(values.size()));
}

TEST_CASE("statistics: answers are counted by stretches of 10 ms, and silence is left out") {
  CHECK(answers_over_time({0, 9'999, 10'000}, {500'000}) ==
        std::vector<time_bucket>{{0, 2, 0}, {10, 1, 0}, {500, 0, 1}});
}
