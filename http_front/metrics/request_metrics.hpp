#pragma once

#include <prometheus/collectable.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe::http {

/// What one I/O loop counts. Only its thread writes, so a count is a plain add; the atomics only let a scrape
/// read meanwhile.
class loop_counters {
 public:
  explicit loop_counters(std::size_t routes);

  void request_done(std::uint32_t route, int status, std::chrono::nanoseconds took);

  static void add(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }
  static void sub(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) {
    counter.store(counter.load(std::memory_order_relaxed) - by, std::memory_order_relaxed);
  }

  std::atomic<std::uint64_t> connections{0};
  std::atomic<std::uint64_t> in_flight{0};
  std::atomic<std::uint64_t> bytes_in{0};
  std::atomic<std::uint64_t> bytes_out{0};
  std::atomic<std::uint64_t> timed_out{0};
  std::atomic<std::uint64_t> body_bytes{0};

 private:
  friend class request_metrics;
  static constexpr std::size_t status_count = 32;
  static constexpr std::size_t bucket_count = 13;
  struct series {
    std::array<std::atomic<std::uint64_t>, bucket_count + 1> bucket{};
    std::atomic<std::uint64_t> sum_ns{0};
  };
  static std::size_t slot_of(int status);

  std::vector<std::array<std::unique_ptr<series>, status_count>> owned_;
  std::vector<std::array<std::atomic<series*>, status_count>> at_;  // route, then status; made at first use
};

/// Adds the loops up when Prometheus asks.
class request_metrics final : public prometheus::Collectable {
 public:
  struct route_label {
    std::string method;
    std::string path;
  };
  request_metrics(std::vector<route_label> routes, std::vector<std::shared_ptr<loop_counters>> loops);

  std::vector<prometheus::MetricFamily> Collect() const override;

  std::atomic<std::uint64_t> rejected_connections{0};

 private:
  std::vector<route_label> routes_;
  std::vector<std::shared_ptr<loop_counters>> loops_;
};

}  // namespace troupe::http
