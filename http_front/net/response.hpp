#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/time.hpp"

namespace troupe::http {

/// One answer, before it is put on the wire. There is one object for each I/O loop, used again and again.
struct response {
  int status = 200;
  std::string_view content_type;  // static text; empty when there is no body
  std::string headers;            // whole lines, each with its CRLF
  std::string body;
  bool close = false;  // the connection ends after this answer

  void reset();
  /// Neither part may hold CR or LF; values that came from outside were checked by the policy that took them.
  void add(std::string_view name, std::string_view value);
};

/// How the request wants to be answered.
struct framing {
  bool keep_alive = true;
  bool http_1_0 = false;
  bool head_only = false;
};

void append_response(std::string& out, const response& what, framing how, std::string_view date);

/// `Date:` in IMF-fixdate, formatted once a second.
class date_cache {
 public:
  std::string_view at(timestamp now);

 private:
  std::int64_t second_ = -1;
  char text_[32] = {};
};

}  // namespace troupe::http
