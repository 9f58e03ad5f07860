#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The client side of HTTP/1.1 that the load tools need: many connections, one request at a time on each,
/// little work for each answer. Not a general client: no TLS, no redirects, no chunked bodies.
namespace troupe::client {

struct response {
  int status = 0;
  std::string body;
  std::optional<std::int64_t> retry_after_s;
  bool is_keep_alive = true;
  bool is_replayed = false;  ///< the server sent `Idempotent-Replayed: true`
};

enum class parse_progress { need_more, complete, malformed };

inline constexpr std::size_t head_bytes_max = 64 * 1024;
inline constexpr std::size_t body_bytes_max = 16 * 1024 * 1024;

/// Reads one response from bytes that arrive in pieces of any size. After `complete`, take `message()` and
/// call `reset()`. `malformed` is final: the connection has to be closed.
class response_parser {
 public:
  /// Consumes from the front of `bytes` up to the end of the response.
  parse_progress feed(std::string_view& bytes);
  response& message() { return message_; }
  void reset();
  /// True between the first byte of a response and its end.
  bool is_inside() const { return in_body_ || !head_.empty(); }

 private:
  parse_progress take_body(std::string_view& bytes);
  bool read_head(std::string_view head);
  bool read_header_line(std::string_view line);

  response message_;
  std::string head_;
  std::size_t body_bytes_left_ = 0;
  bool in_body_ = false;
  bool has_length_ = false;
};

}  // namespace troupe::client
