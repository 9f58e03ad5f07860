#include "http_front/net/edge_log.hpp"
#include "runtime/base/log.hpp"

namespace troupe::http {
namespace {

constexpr int lines_per_second_max = 10;

/// Admits a few lines each second; `missing` is how many were not admitted since the last one.
struct line_limit {
  std::chrono::steady_clock::time_point second{};
  int lines = 0;
  std::uint64_t missing = 0;

  bool admits(std::uint64_t& left_out) {
    const auto now = std::chrono::steady_clock::now();
    if (now - second >= std::chrono::seconds{1}) {
      second = now;
      lines = 0;
    }
    if (++lines > lines_per_second_max) {
      ++missing;
      return false;
    }
    left_out = missing;
    missing = 0;
    return true;
  }
};

thread_local line_limit fault_lines;

}  // namespace

void log_request(const exchange& x, int status, std::chrono::nanoseconds took, bool every_request) {
  const std::string_view path = x.entry != nullptr ? std::string_view{x.entry->path} : "(none)";
  const std::string_view method = x.entry != nullptr ? to_string(x.entry->method) : "-";
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  if (every_request) {
    spdlog::info("request {} {} status={} us={} trace={} id={}", method, path, status, us, x.trace.id(),
                 x.request_id);
    return;
  }
  std::uint64_t left_out = 0;
  if (!fault_lines.admits(left_out)) return;
  spdlog::warn("request {} {} status={} us={} trace={} id={} suppressed={}", method, path, status, us,
               x.trace.id(), x.request_id, left_out);
}

void log_refused_connection(std::string_view why) {
  std::uint64_t left_out = 0;
  if (fault_lines.admits(left_out)) spdlog::warn("connection refused: {} suppressed={}", why, left_out);
}

}  // namespace troupe::http
