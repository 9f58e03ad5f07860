#pragma once

#include <chrono>
#include <string_view>

#include "http_front/gateway/exchange.hpp"

namespace troupe::http {

/// One line about a request: route template, status, time and trace; never its query, headers or body. Lines
/// about faults are limited to a few each second and thread; the line after a gap says how many are missing.
void log_request(const exchange& x, int status, std::chrono::nanoseconds took, bool every_request);

void log_refused_connection(std::string_view why);

}  // namespace troupe::http
