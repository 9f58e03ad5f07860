#include "http_front/metrics/request_metrics.hpp"

#include <prometheus/metric_family.h>

#include <algorithm>

namespace troupe::http {
namespace {

constexpr std::array<int, 31> statuses{200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 408,
                                       409, 410, 412, 413, 414, 415, 417, 422, 423, 428, 429,
                                       431, 451, 500, 501, 502, 503, 504, 505, 507};
constexpr std::array<std::int64_t, 13> bounds_us{
    100, 250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 1'000'000, 5'000'000};

/// From a status to its place in `statuses`; the place after the last one is for all others.
constexpr auto slots = [] {
  std::array<std::uint8_t, 512> table{};
  table.fill(statuses.size());
  for (std::size_t i = 0; i < statuses.size(); ++i)
    table[static_cast<std::size_t>(statuses[i])] = static_cast<std::uint8_t>(i);
  return table;
}();

prometheus::MetricFamily family(std::string name, std::string help, prometheus::MetricType type) {
  prometheus::MetricFamily out;
  out.name = std::move(name);
  out.help = std::move(help);
  out.type = type;
  return out;
}

prometheus::MetricFamily single(std::string name, std::string help, prometheus::MetricType type,
                                std::uint64_t value) {
  auto out = family(std::move(name), std::move(help), type);
  auto& metric = out.metric.emplace_back();
  (type == prometheus::MetricType::Gauge ? metric.gauge.value : metric.counter.value) =
      static_cast<double>(value);
  return out;
}

std::uint64_t read(const std::atomic<std::uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

}  // namespace

loop_counters::loop_counters(std::size_t routes) : owned_(routes), at_(routes) {
  static_assert(statuses.size() + 1 == status_count);
  static_assert(bounds_us.size() == bucket_count);
}

std::size_t loop_counters::slot_of(int status) {
  const auto at = static_cast<std::size_t>(status);
  return at < slots.size() ? slots[at] : statuses.size();
}

void loop_counters::request_done(std::uint32_t route, int status, std::chrono::nanoseconds took) {
  const auto slot = slot_of(status);
  auto* to = at_[route][slot].load(std::memory_order_relaxed);
  if (to == nullptr) {
    owned_[route][slot] = std::make_unique<series>();
    to = owned_[route][slot].get();
    at_[route][slot].store(to, std::memory_order_release);
  }
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  std::size_t bucket = 0;
  while (bucket < bucket_count && us > bounds_us[bucket]) ++bucket;
  add(to->bucket[bucket]);
  add(to->sum_ns, static_cast<std::uint64_t>(took.count()));
}

request_metrics::request_metrics(std::vector<route_label> routes,
                                 std::vector<std::shared_ptr<loop_counters>> loops)
    : routes_(std::move(routes)), loops_(std::move(loops)) {}

std::vector<prometheus::MetricFamily> request_metrics::Collect() const {
  using prometheus::MetricType;
  auto durations = family("http_request_duration_seconds", "From the first byte of a request to its answer.",
                          MetricType::Histogram);
  for (std::size_t route = 0; route < routes_.size(); ++route) {
    for (std::size_t slot = 0; slot < loop_counters::status_count; ++slot) {
      std::array<std::uint64_t, loop_counters::bucket_count + 1> bucket{};
      std::uint64_t sum_ns = 0;
      for (const auto& loop : loops_) {
        const auto* series = loop->at_[route][slot].load(std::memory_order_acquire);
        if (series == nullptr) continue;
        for (std::size_t i = 0; i < bucket.size(); ++i) bucket[i] += read(series->bucket[i]);
        sum_ns += read(series->sum_ns);
      }
      if (std::all_of(bucket.begin(), bucket.end(), [](auto count) { return count == 0; })) continue;
      auto& metric = durations.metric.emplace_back();
      const auto status = slot < statuses.size() ? std::to_string(statuses[slot]) : std::string{"other"};
      metric.label = {{"method", routes_[route].method}, {"route", routes_[route].path}, {"status", status}};
      std::uint64_t total = 0;
      for (std::size_t i = 0; i < bounds_us.size(); ++i) {
        total += bucket[i];
        metric.histogram.bucket.push_back({total, static_cast<double>(bounds_us[i]) / 1e6});
      }
      metric.histogram.sample_count = total + bucket.back();
      metric.histogram.sample_sum = static_cast<double>(sum_ns) / 1e9;
    }
  }
  std::uint64_t connections = 0, in_flight = 0, bytes_in = 0, bytes_out = 0, timed_out = 0, body_bytes = 0;
  for (const auto& loop : loops_) {
    connections += read(loop->connections);
    in_flight += read(loop->in_flight);
    bytes_in += read(loop->bytes_in);
    bytes_out += read(loop->bytes_out);
    timed_out += read(loop->timed_out);
    body_bytes += read(loop->body_bytes);
  }
  return {
      std::move(durations),
      single("http_connections", "Open client connections.", MetricType::Gauge, connections),
      single("http_requests_in_flight", "Requests that wait for an entity.", MetricType::Gauge, in_flight),
      single("http_request_body_bytes", "Memory of request bodies that are still being received.",
             MetricType::Gauge, body_bytes),
      single("http_rejected_connections_total", "Connections refused because of the limit.",
             MetricType::Counter, read(rejected_connections)),
      single("http_timed_out_connections_total", "Connections ended by a time-out.", MetricType::Counter,
             timed_out),
      single("http_received_bytes_total", "Bytes read from clients.", MetricType::Counter, bytes_in),
      single("http_sent_bytes_total", "Bytes written to clients.", MetricType::Counter, bytes_out)};
}

}  // namespace troupe::http
