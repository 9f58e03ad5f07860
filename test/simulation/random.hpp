#pragma once

#include <cstdint>

#include "runtime/base/random.hpp"

namespace troupe::simulation {

inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  std::uint64_t z = a ^ (b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2));
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// One stream of random numbers. Every part of the simulation has its own, so that what one part draws does
/// not change what another one sees.
class random_stream {
 public:
  explicit random_stream(std::uint64_t seed) : ids_(seed) {}
  random_stream(std::uint64_t seed, std::uint64_t purpose) : ids_(mix(seed, purpose)) {}

  std::uint64_t next() { return ids_.next(); }
  /// From `low` to `high`, both included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    if (high <= low) return low;
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(next() % count); }
  bool chance(double probability) { return static_cast<double>(next() >> 11U) * 0x1.0p-53 < probability; }
  /// Mostly near `low`, now and then up to `high`.
  std::int64_t skewed(std::int64_t low, std::int64_t high) {
    const auto limit = between(low, high);
    return between(low, between(low, limit));
  }

 private:
  id_source ids_;
};

}  // namespace troupe::simulation
