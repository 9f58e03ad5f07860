#pragma once

#include <string_view>

namespace troupe::http {

/// Whether the value of a Host header names this machine by its loopback: localhost, 127.0.0.0/8 or [::1],
/// with or without a port. A web page whose own name was made to resolve to 127.0.0.1 sends that name.
bool is_loopback_host(std::string_view host);

}  // namespace troupe::http
