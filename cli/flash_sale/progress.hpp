#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "cli/terminal.hpp"

namespace troupe::flash_sale {

/// Tells a person on stderr how far a phase has come: one redrawn bar on a terminal, elsewhere a line a
/// second.
class progress {
 public:
  using clock = std::chrono::steady_clock;

  explicit progress(std::FILE* out) : out_(out), terminal_(cli::look_at(out)) {}

  void begin(std::string_view phase, std::size_t total);
  /// Cheap enough for a loop: most calls only look at the clock.
  void update(std::size_t done);
  void finish(std::size_t done);
  /// A line of its own, e.g. that the server was killed.
  void note(std::string_view text);

 private:
  void draw(std::size_t done);
  void clear_line();

  std::FILE* out_;
  cli::terminal terminal_;
  std::string phase_;
  std::size_t total_ = 0;
  clock::time_point begun_{};
  clock::time_point drawn_{};
};

}  // namespace troupe::flash_sale
