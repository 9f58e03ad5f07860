#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace troupe::http::test {

/// One answer as it came over the wire. Header names are in lower case.
struct answer {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;

  std::string header(const std::string& name) const {
    const auto at = headers.find(name);
    return at == headers.end() ? std::string{} : at->second;
  }
  /// The last part of the problem's type; empty when this is no problem.
  std::string problem() const;
};

/// A client that sends bytes exactly as given. Every wait has a deadline, past which the test fails.
class client {
 public:
  explicit client(std::uint16_t port, int receive_buffer_bytes = 0);
  ~client();
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// False when the connection is gone.
  bool send(std::string_view bytes);
  /// Sends what goes without waiting; how many bytes that was.
  std::size_t send_some(std::string_view bytes);
  void end_sending();
  /// Closes with a reset.
  void reset();
  /// The next answer; nothing when the connection ended before it was complete.
  std::optional<answer> receive(bool is_head = false);
  /// Whether the server ends the connection, now or soon. Bytes that still come are dropped.
  bool ends();
  bool has_reply_within(std::chrono::milliseconds wait);

  answer ask(std::string_view request) {
    send(request);
    auto got = receive();
    return got ? *got : answer{};
  }

 private:
  bool fill();

  int fd_ = -1;
  std::string bytes_;
};

}  // namespace troupe::http::test
