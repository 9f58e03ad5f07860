#include "cli/flash_sale/client/connections.hpp"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace troupe::client {

connections::connections(std::vector<endpoint> servers, std::size_t slots, listener& events)
    : servers_(std::move(servers)), events_(events), epoll_(epoll_create1(EPOLL_CLOEXEC)), slots_(slots) {
  if (epoll_ < 0) throw environment_error(std::string("epoll is not available: ") + std::strerror(errno));
}

connections::~connections() {
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) close(slot);
  ::close(epoll_);
}

void connections::watch(std::size_t slot, int operation, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = (static_cast<std::uint64_t>(slots_[slot].opened_count) << 32) | slot;
  if (epoll_ctl(epoll_, operation, slots_[slot].fd, &event) != 0) {
    throw environment_error(std::string("epoll refuses a socket: ") + std::strerror(errno));
  }
}

void connections::open(std::size_t slot) {
  auto& s = slots_[slot];
  close(slot);
  ++s.opened_count;
  const auto& to = servers_[slot % servers_.size()];
  s.fd = ::socket(to.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (s.fd < 0)
    throw environment_error(std::string("No more sockets can be opened: ") + std::strerror(errno));
  const int on = 1;
  ::setsockopt(s.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int result = ::connect(s.fd, reinterpret_cast<const sockaddr*>(&to.address), to.address_bytes);
  if (result != 0 && errno != EINPROGRESS) {
    ::close(s.fd);
    s.fd = -1;
    refused_at_once_.push_back(slot);
    return;
  }
  s.phase = link::connecting;
  watch(slot, EPOLL_CTL_ADD, EPOLLOUT);
}

void connections::close(std::size_t slot) {
  auto& s = slots_[slot];
  if (s.fd >= 0) ::close(s.fd);
  s.fd = -1;
  s.phase = link::closed;
  s.unsent.clear();
  s.parser.reset();
}

void connections::break_off(std::size_t slot) {
  close(slot);
  events_.on_broken(slot);
}

void connections::send(std::size_t slot, std::string_view request) {
  auto& s = slots_[slot];
  const ssize_t sent = ::send(s.fd, request.data(), request.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(request.size())) return;
  if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    // Told from the next poll: the caller is in the middle of noting down that it has sent.
    close(slot);
    refused_at_once_.push_back(slot);
    return;
  }
  s.unsent.assign(request.substr(sent < 0 ? 0 : static_cast<std::size_t>(sent)));
  watch(slot, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

void connections::send_rest(std::size_t slot) {
  auto& s = slots_[slot];
  const ssize_t sent = ::send(s.fd, s.unsent.data(), s.unsent.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) break_off(slot);
    return;
  }
  s.unsent.erase(0, static_cast<std::size_t>(sent));
  if (s.unsent.empty()) watch(slot, EPOLL_CTL_MOD, EPOLLIN);
}

void connections::finish_connect(std::size_t slot) {
  auto& s = slots_[slot];
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(s.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return break_off(slot);
  s.phase = link::open;
  watch(slot, EPOLL_CTL_MOD, EPOLLIN);
  events_.on_open(slot);
}

void connections::receive(std::size_t slot) {
  static thread_local std::array<char, 64 * 1024> buffer;
  auto& s = slots_[slot];
  const ssize_t got = ::recv(s.fd, buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return break_off(slot);
  std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
  switch (s.parser.feed(bytes)) {
    case parse_progress::need_more:
      return;
    case parse_progress::malformed:
      return break_off(slot);
    case parse_progress::complete:
      break;
  }
  // Bytes behind the only answer that was asked for: the two sides do not agree on where messages end.
  if (!bytes.empty()) return break_off(slot);
  response answer = std::move(s.parser.message());
  s.parser.reset();
  if (!answer.is_keep_alive) close(slot);
  events_.on_response(slot, answer);
}

void connections::poll(std::chrono::milliseconds timeout) {
  std::array<epoll_event, 512> events;
  if (!refused_at_once_.empty()) timeout = std::chrono::milliseconds{0};
  const int count =
      ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), static_cast<int>(timeout.count()));
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    const auto slot = static_cast<std::size_t>(event.data.u64 & 0xffffffffU);
    auto& s = slots_[slot];
    if (s.fd < 0 || s.opened_count != static_cast<std::uint32_t>(event.data.u64 >> 32)) continue;
    if (s.phase == link::connecting) {
      finish_connect(slot);
    } else if ((event.events & EPOLLOUT) != 0 && !s.unsent.empty()) {
      send_rest(slot);
    } else {
      receive(slot);
    }
  }
  std::vector<std::size_t> refused;
  refused.swap(refused_at_once_);
  for (const std::size_t slot : refused) {
    if (slots_[slot].phase == link::closed) events_.on_broken(slot);
  }
}

}  // namespace troupe::client
