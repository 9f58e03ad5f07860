#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::client {

/// The user gave something that cannot work, or the machine or server does not allow it. The text says what
/// to do.
struct environment_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A server's address, resolved once.
struct endpoint {
  std::string host;
  std::uint16_t port = 80;
  sockaddr_storage address{};
  socklen_t address_bytes = 0;

  /// As the Host header has it.
  std::string authority() const;
};

/// `http://host[:port]`, with nothing behind it but an optional slash. Throws environment_error.
endpoint resolve(std::string_view url);

struct header {
  std::string name;
  std::string value;
};

/// The bytes of one HTTP/1.1 request.
std::string request_text(const endpoint& to, std::string_view method, std::string_view target,
                         const std::vector<header>& headers, std::string_view body);

/// Raises the limit of open files so that `connections` sockets fit. Throws environment_error with the
/// `ulimit` to set when the hard limit is too low.
void allow_open_sockets(std::size_t connections);

}  // namespace troupe::client
