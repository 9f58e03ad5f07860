#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runtime/base/time.hpp"

namespace troupe::http {

/// One part of the process as /health shows it.
struct health_check {
  std::string name;
  std::string fault;  // empty: healthy
};

/// Called on I/O and operations threads: reads what is known and never waits.
using health_source = std::function<std::vector<health_check>()>;

struct health_page {
  int status = 200;  // 503 when a check has a fault
  std::string body;
};

/// {status, service, timestamp, uptime (seconds), checks:{name: "healthy" | fault}}
health_page render_health(const std::vector<health_check>& checks, timestamp now, timestamp started);

}  // namespace troupe::http
