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

/// A body of the size allowed can have tens of thousands of wrong fields.
inline constexpr std::size_t kept_errors_max = 64;

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
  bool is_admitted = false;  // gateway::admit() has let it pass
  version_condition expected;
  route_request request;
  command outgoing;

  /// The bytes moved from one buffer to another; the old one is still there.
  void rebase(const char* from, const char* to) {
    const auto move = [&](std::string_view& view) {
      if (view.data() != nullptr) view = {to + (view.data() - from), view.size()};
    };
    head.rebase(from, to);
    move(target.path);
    move(target.query);
    move(request_id);
  }

  void reset() {
    head = {};
    body = {};
    target = {};
    request_id = {};
    entry = nullptr;
    is_admitted = false;
    expected = {};
    request.who = {};
    request.key_id.reset();
    request.path.clear();
    request.query.clear();
    request.list = {};
    request.has_foreign_cursor = false;
    request.errors.clear();
    if (request.errors.capacity() > kept_errors_max) request.errors.shrink_to_fit();
  }
};

}  // namespace troupe::http
