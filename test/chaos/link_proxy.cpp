#include "test/chaos/link_proxy.hpp"

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace troupe::chaos {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds cut_poll{10};

auto into(error_code& fault) { return asio::redirect_error(asio::use_awaitable, fault); }

tcp::endpoint parse(const std::string& text) {
  const auto colon = text.rfind(':');
  error_code fault;
  const auto address = asio::ip::make_address(text.substr(0, colon), fault);
  return fault ? tcp::endpoint{}
               : tcp::endpoint{address, static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)))};
}

}  // namespace

struct link_proxy::state {
  struct pair_of_sockets {
    explicit pair_of_sockets(tcp::socket accepted)
        : client(std::move(accepted)), server(client.get_executor()) {}
    tcp::socket client, server;
  };
  using both = std::shared_ptr<pair_of_sockets>;

  bool is_cut(const std::string& from, const std::string& to) {
    const std::lock_guard lock{mutex};
    return cuts.contains({from, to});
  }

  asio::awaitable<void> wait_while_cut(const std::string& from, const std::string& to) {
    for (asio::steady_timer timer{io}; is_cut(from, to);) {
      timer.expires_after(cut_poll);
      co_await timer.async_wait(asio::use_awaitable);
    }
  }

  /// One direction; its end is the end of both.
  asio::awaitable<void> pump(both link, bool is_to_server, std::string from, std::string to) {
    auto& in = is_to_server ? link->client : link->server;
    auto& out = is_to_server ? link->server : link->client;
    std::array<char, 64U << 10U> piece;
    for (error_code fault; !fault;) {
      const auto size = co_await in.async_read_some(asio::buffer(piece), into(fault));
      co_await wait_while_cut(from, to);
      if (size > 0) co_await asio::async_write(out, asio::buffer(piece.data(), size), into(fault));
    }
    error_code ignored;
    in.close(ignored);
    out.close(ignored);
  }

  asio::awaitable<void> carry(both link, std::string from, std::string to, std::string where) {
    co_await wait_while_cut(from, to);
    error_code fault;
    if (where.empty()) co_return;
    co_await link->server.async_connect(parse(where), into(fault));
    if (fault) co_return;
    link->server.set_option(tcp::no_delay{true}, fault);
    link->client.set_option(tcp::no_delay{true}, fault);
    asio::co_spawn(io, pump(link, true, from, to), asio::detached);
    asio::co_spawn(io, pump(link, false, to, from), asio::detached);
  }

  asio::awaitable<void> accept(tcp::acceptor at, std::string target, address_source where,
                               std::string source) {
    for (;;) {
      error_code fault;
      auto socket = co_await at.async_accept(into(fault));
      if (fault) continue;
      const auto peer = socket.remote_endpoint(fault);
      const auto from = source.empty() ? names(peer.address().to_string()) : source;
      const auto link = std::make_shared<pair_of_sockets>(std::move(socket));
      asio::co_spawn(io, carry(link, from, target, where()), asio::detached);
    }
  }

  name_source names;
  std::mutex mutex;
  std::set<std::pair<std::string, std::string>> cuts;  // from, to; guarded by mutex
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> stays{io.get_executor()};
  std::thread thread{[this] { io.run(); }};
};

link_proxy::link_proxy(name_source names) : state_(std::make_unique<state>()) {
  state_->names = std::move(names);
}

link_proxy::~link_proxy() {
  state_->io.stop();
  state_->thread.join();
}

std::uint16_t link_proxy::add(const std::string& target, address_source where, const std::string& source) {
  tcp::acceptor at{state_->io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
  const auto port = at.local_endpoint().port();
  asio::co_spawn(state_->io, state_->accept(std::move(at), target, std::move(where), source), asio::detached);
  return port;
}

void link_proxy::cut(const std::string& from, const std::string& to) {
  const std::lock_guard lock{state_->mutex};
  state_->cuts.insert({from, to});
}

void link_proxy::heal() {
  const std::lock_guard lock{state_->mutex};
  state_->cuts.clear();
}

}  // namespace troupe::chaos
