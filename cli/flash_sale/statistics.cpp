#include "cli/flash_sale/statistics.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace troupe::flash_sale {
namespace {

/// In tenths of a percent, so that no rounding of doubles moves a rank.
std::int64_t percentile(const std::vector<std::int64_t>& sorted, std::size_t permille) {
  const std::size_t rank = (sorted.size() * permille + 999) / 1000;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

std::vector<std::int64_t> bucket_edges() {
  std::vector<std::int64_t> edges{0};
  constexpr std::array<std::int64_t, 6> steps{10, 15, 20, 30, 50, 70};
  for (std::int64_t power = 1; power <= 100'000'000; power *= 10) {
    for (const std::int64_t step : steps) edges.push_back(power * step);
  }
  edges.push_back(10'000'000'000);
  return edges;
}

}  // namespace

latency_summary summarize(std::vector<std::int64_t> values) {
  latency_summary out;
  if (values.empty()) return out;
  std::sort(values.begin(), values.end());
  out.count = static_cast<std::int64_t>(values.size());
  out.p50_us = percentile(values, 500);
  out.p90_us = percentile(values, 900);
  out.p99_us = percentile(values, 990);
  out.p999_us = percentile(values, 999);
  out.max_us = values.back();
  return out;
}

std::vector<latency_bucket> latency_histogram(const std::vector<std::int64_t>& winners,
                                              const std::vector<std::int64_t>& losers) {
  static const std::vector<std::int64_t> edges = bucket_edges();
  std::vector<latency_bucket> buckets;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) buckets.push_back({edges[i], edges[i + 1], 0, 0});
  const auto bucket_of = [&](std::int64_t value) -> latency_bucket& {
    const auto above = std::upper_bound(edges.begin(), edges.end(), value);
    const auto index = std::max<std::ptrdiff_t>(above - edges.begin(), 1) - 1;
    return buckets[std::min(static_cast<std::size_t>(index), buckets.size() - 1)];
  };
  for (const auto value : winners) ++bucket_of(value).winners;
  for (const auto value : losers) ++bucket_of(value).losers;

  const auto is_used = [](const latency_bucket& b) { return b.winners + b.losers > 0; };
  const auto first = std::find_if(buckets.begin(), buckets.end(), is_used);
  const auto last = std::find_if(buckets.rbegin(), buckets.rend(), is_used).base();
  return first < last ? std::vector<latency_bucket>(first, last) : std::vector<latency_bucket>{};
}

std::vector<time_bucket> answers_over_time(const std::vector<std::int64_t>& sold_at,
                                           const std::vector<std::int64_t>& refused_at) {
  std::map<std::int64_t, time_bucket> buckets;
  const auto bucket_of = [&](std::int64_t at_us) -> time_bucket& {
    const std::int64_t from_ms = at_us / (time_bucket_ms * 1000) * time_bucket_ms;
    auto& bucket = buckets[from_ms];
    bucket.from_ms = from_ms;
    return bucket;
  };
  for (const auto at : sold_at) ++bucket_of(at).sold;
  for (const auto at : refused_at) ++bucket_of(at).refused;
  std::vector<time_bucket> out;
  for (const auto& [from, bucket] : buckets) out.push_back(bucket);
  return out;
}

}  // namespace troupe::flash_sale
