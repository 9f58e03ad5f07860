#include <doctest/doctest.h>

#include <sstream>

#include "test/chaos/log_scan.hpp"

using troupe::chaos::crash_line;

namespace {

std::string crash_line_of(const std::string& text) {
  std::istringstream log{text};
  return crash_line(log);
}

}  // namespace

TEST_CASE("logs: what a sound node says is no crash") {
  CHECK(crash_line_of("") == "");
  CHECK(crash_line_of(
            "2026-11-29T17:00:00.000+0000 info SIGTERM: draining\n"
            "2026-11-29T17:00:00.100+0000 info stopped: what it was the primary of is handed over\n") == "");
}

TEST_CASE("logs: the first line of a crash is found among others") {
  const std::vector<std::string> lines{
      "troupe: invariant broken: a <= b (replica.cpp:12) ",
      "Segmentation fault (core dumped)",
      "terminate called after throwing an instance of 'std::bad_alloc'",
      "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
      "SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior a.cpp:1:2",
      "a.cpp:1:2: runtime error: signed integer overflow",
  };
  for (const auto& line : lines) {
    CAPTURE(line);
    CHECK(crash_line_of("info ready\n" + line + "\ninfo more\n") == line);
  }
}
