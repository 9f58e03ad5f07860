#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "http_front/net/request_head.hpp"
#include "http_front/policy/trace.hpp"
#include "http_front/router/route_table.hpp"
#include "http_front/router/target.hpp"
#include "runtime/host/command.hpp"

namespace troupe::http {

/// The last token that was verified on a connection: the same bytes need no second HMAC until they expire.
struct verified_token {
  std::string authorization;
  principal who;
  timestamp expires_at;
};

/// One request from its first byte to its answer. Used again and again, so that its strings keep their
/// memory. The views point into the connection's buffer, which stands still until the answer is written.
struct exchange {
  request_head head;
  std::string_view body;
  target_parts target;
  std::string_view request_id;
  trace_context trace;
  std::chrono::steady_clock::time_point began;
  const route_entry* entry = nullptr;
  route_request request;
  command outgoing;

  void reset() {
    head = {};
    body = {};
    target = {};
    request_id = {};
    entry = nullptr;
    request.who = {};
    request.command_id.reset();
    request.path.clear();
    request.query.clear();
    request.errors.clear();
  }
};

}  // namespace troupe::http
