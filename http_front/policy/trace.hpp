#pragma once

#include <array>
#include <string_view>

#include "runtime/base/random.hpp"

namespace troupe::http {

/// The W3C trace that a request belongs to: the caller's where it sent a valid `traceparent`, else a new one.
class trace_context {
 public:
  void begin(std::string_view traceparent, id_source& ids);
  /// 32 hexadecimal digits.
  std::string_view id() const { return {hex_.data(), hex_.size()}; }

 private:
  std::array<char, 32> hex_{};
};

/// X-Request-Id as it is echoed: 1 to 128 visible ASCII characters, otherwise nothing.
std::string_view accepted_request_id(std::string_view text);

}  // namespace troupe::http
