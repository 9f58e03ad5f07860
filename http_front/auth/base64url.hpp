#pragma once

#include <string>
#include <string_view>

namespace troupe::http {

/// RFC 4648, section 5, without padding.
void append_base64url(std::string& out, std::string_view bytes);
/// Strict: no padding, no other characters, no stray bits at the end.
[[nodiscard]] bool read_base64url(std::string_view text, std::string& out);

}  // namespace troupe::http
