#include "http_front/health.hpp"

#include <algorithm>

#include "runtime/entity/json_write.hpp"

namespace troupe::http {

health_page render_health(const std::vector<health_check>& checks, timestamp now, timestamp started) {
  const bool healthy =
      std::all_of(checks.begin(), checks.end(), [](const auto& check) { return check.fault.empty(); });
  health_page page;
  page.status = healthy ? 200 : 503;
  auto& out = page.body;
  out += healthy ? R"({"status":"healthy")" : R"({"status":"unhealthy")";
  out += R"(,"service":"troupe","timestamp":)";
  write_json(out, now);
  out += R"(,"uptime":)";
  write_json(out, (now.ms - started.ms) / 1000);
  out += R"(,"checks":{)";
  for (const auto& check : checks) {
    if (out.back() != '{') out += ',';
    write_json_string(out, check.name);
    out += ':';
    write_json_string(out, check.fault.empty() ? "healthy" : check.fault);
  }
  out += "}}";
  return page;
}

}  // namespace troupe::http
