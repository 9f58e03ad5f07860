#include "cluster/transport/dialer.hpp"

#include <fcntl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "cluster/transport/address.hpp"
#include "runtime/base/log.hpp"

namespace troupe {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t warned_max = 64;

std::optional<tcp::endpoint> endpoint_of(const std::string& text) {
  const auto parts = parse_ip_port(text);
  if (!parts) return std::nullopt;
  return tcp::endpoint{asio::ip::make_address(parts->ip), parts->port};
}

struct attempt {
  tcp::socket socket;
  asio::steady_timer deadline;
  dialer::on_dialed done;
};

/// The socket is its receiver's from here on, or closed.
void finish(attempt& of, bool is_connected) {
  of.deadline.cancel();
  boost::system::error_code fault;
  if (is_connected) of.socket.set_option(tcp::no_delay{true}, fault);
  if (is_connected && !fault) of.socket.native_non_blocking(true, fault);
  const int fd = is_connected && !fault ? of.socket.release(fault) : -1;
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  of.socket.close(fault);
  std::exchange(of.done, nullptr)(fd);
}

bool bind_to(tcp::socket& socket, const std::string& source) {
  boost::system::error_code fault;
  const auto address = asio::ip::make_address(source, fault);
  if (!fault) socket.open(address.is_v6() ? tcp::v6() : tcp::v4(), fault);
  if (!fault) socket.bind({address, 0}, fault);
  return !fault;
}

}  // namespace

struct dialer::state {
  /// Who announced that cannot be reached, which is tried again and again: once is enough to be told.
  void warn_of(const std::string& endpoint) {
    if (warned.size() < warned_max && warned.insert(endpoint).second)
      spdlog::warn("\"{}\" is no ip:port: who announced that (--advertise) cannot be reached", endpoint);
  }

  std::string source;
  std::set<std::string> warned;  // the dialer's thread only
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> stays{io.get_executor()};
  std::thread thread{[this] { io.run(); }};
};

dialer::dialer(const std::string& source) : state_(std::make_unique<state>()) { state_->source = source; }

dialer::~dialer() { stop(); }

void dialer::dial(const std::string& endpoint, std::chrono::milliseconds timeout, on_dialed done) {
  asio::post(state_->io, [this, endpoint, timeout, done = std::move(done)]() mutable {
    auto& io = state_->io;
    const auto to = endpoint_of(endpoint);
    if (!to) {
      state_->warn_of(endpoint);
      return done(-1);
    }
    auto one =
        std::make_shared<attempt>(attempt{tcp::socket{io}, asio::steady_timer{io, timeout}, std::move(done)});
    if (!state_->source.empty() && !bind_to(one->socket, state_->source)) return finish(*one, false);
    one->socket.async_connect(*to, [one](const boost::system::error_code& fault) { finish(*one, !fault); });
    one->deadline.async_wait([one](const boost::system::error_code& fault) {
      boost::system::error_code ignored;
      if (!fault) one->socket.close(ignored);  // which ends the connect
    });
  });
}

void dialer::stop() {
  state_->io.stop();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace troupe
