#include "test/integration/authority/cutting_proxy.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace troupe::test {
namespace {

constexpr int look_up_ms = 50;  // how often a waiting thread asks whether it is over

sockaddr_in loopback(int port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  return at;
}

/// Empty: the sender is gone.
std::string receive(int from) {
  char buffer[16384];
  const auto size = ::recv(from, buffer, sizeof buffer, 0);
  return {buffer, size > 0 ? static_cast<std::size_t>(size) : 0};
}

bool send_on(int to, const std::string& bytes) {
  return ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

}  // namespace

cutting_proxy::cutting_proxy(int target_port, std::string forbidden)
    : target_port_(target_port), forbidden_(std::move(forbidden)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto at = loopback(0);
  socklen_t size = sizeof at;
  REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) == 0);
  REQUIRE(::listen(listener_, 16) == 0);
  REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  port_ = ntohs(at.sin_port);
  acceptor_ = std::thread{[this] { accept_all(); }};
}

cutting_proxy::~cutting_proxy() {
  is_stopping_ = true;
  acceptor_.join();
  ::close(listener_);
}

void cutting_proxy::accept_all() {
  while (!is_stopping_) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, look_up_ms) <= 0) continue;
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client >= 0) relays_.emplace_back([this, client] { relay(client); });
  }
  for (auto& thread : relays_) thread.join();
}

void cutting_proxy::cut_answers_to(const std::string& text, int count) {
  const std::lock_guard lock{mutex_};
  cut_text_ = text;
  cuts_left_ = count;
}

bool cutting_proxy::is_to_be_cut(std::string_view request) {
  const std::lock_guard lock{mutex_};
  if (cuts_left_ == 0 || request.find(cut_text_) == std::string_view::npos) return false;
  --cuts_left_;
  return true;
}

void cutting_proxy::relay(int client) {
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto at = loopback(target_port_);
  bool is_open = ::connect(server, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
  bool cuts = false;
  while (is_open && !is_stopping_) {
    pollfd sides[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (::poll(sides, 2, look_up_ms) <= 0) continue;
    if (sides[0].revents != 0) {
      const auto request = receive(client);
      if (!forbidden_.empty() && request.find(forbidden_) != std::string::npos) break;
      cuts = cuts || is_to_be_cut(request);
      is_open = !request.empty() && send_on(server, request);
    } else {
      const auto answer = receive(server);
      if (cuts && !answer.empty()) ++cut_;
      is_open = !cuts && !answer.empty() && send_on(client, answer);
    }
  }
  ::close(server);
  ::close(client);
}

}  // namespace troupe::test
