#include "cluster/transport/newcomers.hpp"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

/// What the other side has sent; where the kernel does not tell, enough.
std::uint64_t bytes_received(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  constexpr auto needed = offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received;
  const bool is_told = ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && size >= needed;
  return is_told ? info.tcpi_bytes_received : UINT64_MAX;
}

}  // namespace

newcomers::newcomers(std::chrono::milliseconds patience, std::uint64_t bytes_min)
    : patience_(patience), bytes_min_(bytes_min) {}

newcomers::~newcomers() {
  for (const auto& one : waiting_) ::close(one.socket);
}

void newcomers::add(int socket) {
  const int own = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return;  // no descriptor is left: the owner's own accept is the next to fail
  const std::lock_guard lock{mutex_};
  waiting_.push_back({own, std::chrono::steady_clock::now()});
  if (waiting_.size() <= count_max) return;
  forget(waiting_.front(), bytes_received(waiting_.front().socket) < bytes_min_);
  waiting_.pop_front();
}

std::size_t newcomers::sweep() {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock{mutex_};
  std::erase_if(waiting_, [&](const connection& one) {
    const bool is_silent = bytes_received(one.socket) < bytes_min_;
    if (is_silent && now - one.since < patience_) return false;
    forget(one, is_silent);
    return true;
  });
  return std::exchange(shut_out_, 0);
}

/// A duplicate keeps a connection open that its owner has closed, so it goes as soon as possible.
void newcomers::forget(const connection& one, bool is_shut_out) {
  if (is_shut_out) {
    ::shutdown(one.socket, SHUT_RDWR);  // of the connection, so the owner reads its end
    ++shut_out_;
  }
  ::close(one.socket);
}

}  // namespace troupe
