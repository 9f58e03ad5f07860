#include "test/integration/http/client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace troupe::http::test {
namespace {

constexpr int wait_ms_max = 5000;

}  // namespace

std::string answer::problem() const {
  if (header("content-type") != "application/problem+json") return {};
  constexpr std::string_view before = R"({"type":"/problems/)";
  if (!body.starts_with(before)) return "malformed: " + body;
  return body.substr(before.size(), body.find('"', before.size()) - before.size());
}

client::client(std::uint16_t port, int receive_buffer_bytes) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  if (receive_buffer_bytes > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("cannot connect");
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

client::~client() {
  if (fd_ >= 0) ::close(fd_);
}

bool client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::size_t client::send_some(std::string_view bytes) {
  const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

void client::end_sending() { ::shutdown(fd_, SHUT_WR); }

void client::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::close(fd_);
  fd_ = -1;
}

bool client::has_reply_within(std::chrono::milliseconds wait) {
  pollfd one{fd_, POLLIN, 0};
  return !bytes_.empty() || ::poll(&one, 1, static_cast<int>(wait.count())) > 0;
}

/// False at the end of the connection; throws when nothing comes in time.
bool client::fill() {
  pollfd one{fd_, POLLIN, 0};
  if (::poll(&one, 1, wait_ms_max) == 0) throw std::runtime_error("the server neither answers nor closes");
  char chunk[16 * 1024];
  const auto n = ::recv(fd_, chunk, sizeof chunk, 0);
  if (n <= 0) return false;
  bytes_.append(chunk, static_cast<std::size_t>(n));
  return true;
}

std::optional<answer> client::receive(bool is_head) {
  std::size_t head_end = 0;
  while ((head_end = bytes_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  answer got;
  got.status = std::atoi(bytes_.c_str() + sizeof "HTTP/1.1");
  std::size_t at = bytes_.find("\r\n") + 2;
  while (at < head_end) {
    const auto end = bytes_.find("\r\n", at);
    const auto colon = bytes_.find(": ", at);
    std::string name = bytes_.substr(at, colon - at);
    for (auto& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    got.headers[name] = bytes_.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  bytes_.erase(0, head_end + 4);
  const auto length =
      is_head ? 0 : static_cast<std::size_t>(std::atoll(got.header("content-length").c_str()));
  while (bytes_.size() < length) {
    if (!fill()) return std::nullopt;
  }
  got.body = bytes_.substr(0, length);
  bytes_.erase(0, length);
  return got;
}

bool client::ends() {
  try {
    while (fill()) bytes_.clear();
  } catch (const std::runtime_error&) {
    return false;
  }
  return true;
}

}  // namespace troupe::http::test
