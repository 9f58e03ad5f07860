#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace troupe::http {

enum class verb : std::uint8_t { get, head, post, put, patch, del, options, other };

/// The request headers that anything here looks at; the rest is parsed and dropped.
enum class header : std::uint8_t {
  host,
  authorization,
  content_type,
  content_encoding,
  content_length,
  transfer_encoding,
  expect,
  idempotency_key,
  if_match,
  if_none_match,
  traceparent,
  x_request_id,
  x_want_version,
};
inline constexpr std::size_t header_count = 13;

/// A parsed request line and its known headers, as views into the connection's read buffer: they live until
/// the answer has been written.
struct request_head {
  verb method = verb::other;
  bool http_1_0 = false;
  bool keep_alive = false;
  std::uint16_t present = 0;
  std::uint64_t body_bytes = 0;  // Content-Length
  std::string_view target;
  std::array<std::string_view, header_count> values;

  std::string_view operator[](header h) const { return values[static_cast<std::size_t>(h)]; }
  bool has(header h) const { return (present & (1U << static_cast<unsigned>(h))) != 0; }

  /// The bytes moved from one buffer to another; the old one is still there.
  void rebase(const char* from, const char* to) {
    const auto move = [&](std::string_view& view) {
      if (view.data() != nullptr) view = {to + (view.data() - from), view.size()};
    };
    move(target);
    for (auto& value : values) move(value);
  }
};

}  // namespace troupe::http
