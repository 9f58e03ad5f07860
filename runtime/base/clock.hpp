#pragma once

#include <chrono>

#include "runtime/base/time.hpp"

namespace troupe {

/// Where time comes from. The runtime never asks the operating system directly, so tests can own time.
class clock_source {
 public:
  virtual ~clock_source() = default;
  /// Stamped on log entries; may jump. Never used for anything that must be safe.
  virtual timestamp wall() const = 0;
  /// For deadlines and intervals; never goes back.
  virtual std::chrono::steady_clock::time_point steady() const = 0;
};

class system_clock final : public clock_source {
 public:
  timestamp wall() const override {
    return {std::chrono::duration_cast<std::chrono::milliseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }
  std::chrono::steady_clock::time_point steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace troupe
