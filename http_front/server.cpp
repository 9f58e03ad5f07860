#include "http_front/server.hpp"

#include <sodium.h>

#include <atomic>
#include <boost/asio.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "http_front/boot_error.hpp"
#include "http_front/net/edge_log.hpp"
#include "http_front/net/loop.hpp"
#include "http_front/problem/problem.hpp"
#include "runtime/base/thread_name.hpp"

namespace troupe::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int backlog = 4096;
constexpr std::chrono::milliseconds pause_without_descriptors{100};
/// The whole answer to a connection over the limit; nothing of its request is read.
std::string make_refusal() {
  response answer;
  answer.status = describe(front_problem::too_many_connections).kind.status;
  answer.content_type = problem_media_type;
  answer.add("Retry-After", "1");
  const auto& about = describe(front_problem::too_many_connections);
  write_problem(answer.body, {about.kind, about.meaning, {}, {}, {}, {}});
  std::string out;
  append_response(out, answer, {.keep_alive = false}, date_cache{}.at(system_clock{}.wall()));
  return out;
}

tcp::endpoint endpoint_of(const server_options& options) {
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) throw boot_error("not an IP address to listen on: " + options.address);
  if (options.compat && !address.is_loopback() && !options.compat_beyond_loopback) {
    throw boot_error(
        "the compat routes ask for no token, so they are only served on a loopback address, not on " +
        options.address);
  }
  return {address, options.port};
}

/// Gives the port.
template <class Acceptor>
std::uint16_t listen_at(const tcp::endpoint& where, Acceptor& acceptor) {
  error_code error;
  std::uint16_t port = 0;
  acceptor.open(where.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
  if (!error) acceptor.bind(where, error);
  if (!error) acceptor.listen(backlog, error);
  if (!error) port = acceptor.local_endpoint(error).port();
  if (error) {
    throw boot_error("cannot listen on " + where.address().to_string() + ":" + std::to_string(where.port()) +
                     ": " + error.message());
  }
  return port;
}

server_parts complete(server_parts parts) {
  if (!parts.make_port || !parts.keys || parts.clock == nullptr) {
    throw boot_error("the server needs a command port, signing keys and a clock");
  }
  if (::sodium_init() < 0) throw boot_error("no source of random numbers");
  return parts;
}

std::vector<request_metrics::route_label> labels_of(const route_table& routes) {
  std::vector<request_metrics::route_label> labels{{"-", "(none)"}};
  for (const auto* entry : routes.entries()) {
    if (entry != nullptr) labels.push_back({std::string{to_string(entry->method)}, entry->path});
  }
  return labels;
}

}  // namespace

struct server::state {
  state(server_options options, server_parts parts);
  ~state();

  void start();
  bool drain(std::chrono::steady_clock::time_point deadline);
  void listen();
  void accept();
  void admit(tcp_socket&& socket, loop& to);
  void connection_ended();

  front shared;
  std::vector<std::unique_ptr<loop>> loops;
  std::shared_ptr<request_metrics> metrics;
  std::unique_ptr<asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>>
      acceptor;  // on the first loop
  std::unique_ptr<asio::steady_timer> pause;
  std::size_t next_loop = 0;
  std::uint16_t port = 0;
  std::vector<std::thread> threads;

  const std::string refusal = make_refusal();
  std::atomic<std::size_t> connections{0};
  std::atomic<bool> is_draining{false};
  std::mutex mutex;  // only for the wait at the end of a drain
  std::condition_variable ended;
};

server::state::state(server_options options, server_parts parts)
    : shared(std::move(options), complete(std::move(parts))) {
  if (shared.options.threads == 0) throw boot_error("the server needs at least one thread");
  std::vector<std::shared_ptr<loop_counters>> counters;
  for (unsigned i = 0; i < shared.options.threads; ++i) {
    counters.push_back(std::make_shared<loop_counters>(shared.routes.entries().size()));
    loops.push_back(std::make_unique<loop>(shared, counters.back(), [this] { connection_ended(); }));
  }
  metrics = std::make_shared<request_metrics>(labels_of(shared.routes), counters);
  listen();
}

server::state::~state() {
  for (auto& loop : loops) loop->stop();
  for (auto& thread : threads) thread.join();
}

void server::state::listen() {
  auto& io = loops.front()->io;
  acceptor = std::make_unique<asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>>(io);
  pause = std::make_unique<asio::steady_timer>(io);
  port = listen_at(endpoint_of(shared.options), *acceptor);
}

void server::state::start() {
  asio::post(loops.front()->io, [this] { accept(); });
  for (auto& loop : loops) {
    threads.emplace_back([&loop = *loop] {
      name_thread("troupe-http");
      loop.run();
    });
  }
}

void server::state::accept() {
  // One acceptor that deals out in turn: SO_REUSEPORT deals by hash, which leaves few connections unevenly
  // spread.
  auto& to = *loops[next_loop];
  next_loop = (next_loop + 1) % loops.size();
  acceptor->async_accept(to.io, [this, &to](const error_code& error, tcp_socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) {
      admit(std::move(socket), to);
    } else if (error == asio::error::no_descriptors || error.value() == ENFILE ||
               error == asio::error::no_memory || error == asio::error::no_buffer_space) {
      log_refused_connection("no file descriptors or memory left");
      pause->expires_after(pause_without_descriptors);
      pause->async_wait([this](const error_code& stopped) {
        if (!stopped) accept();
      });
      return;
    }
    if (acceptor->is_open()) accept();
  });
}

void server::state::admit(tcp_socket&& socket, loop& to) {
  if (connections.fetch_add(1, std::memory_order_relaxed) >= shared.options.connections_max) {
    connections.fetch_sub(1, std::memory_order_relaxed);
    loop_counters::add(metrics->rejected_connections);
    log_refused_connection("too many connections");
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(refusal), ignored);
    return;
  }
  if (&to == loops.front().get()) return to.add(std::move(socket));
  asio::post(to.io, [&to, socket = std::move(socket)]() mutable { to.add(std::move(socket)); });
}

void server::state::connection_ended() {
  if (connections.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::lock_guard lock{mutex};
  ended.notify_all();
}

bool server::state::drain(std::chrono::steady_clock::time_point deadline) {
  is_draining.store(true, std::memory_order_relaxed);
  if (threads.empty()) return true;
  std::promise<void> stopped;
  asio::post(loops.front()->io, [&] {
    error_code ignored;
    acceptor->close(ignored);
    pause->cancel();
    // Sockets that were dealt to another loop are in front of this in its queue.
    for (auto& loop : loops) asio::post(loop->io, [&loop = *loop] { loop.drain(); });
    stopped.set_value();
  });
  stopped.get_future().wait();
  const auto none = [this] { return connections.load(std::memory_order_acquire) == 0; };
  std::unique_lock lock{mutex};
  if (ended.wait_until(lock, deadline, none)) return true;
  for (auto& loop : loops) asio::post(loop->io, [&loop = *loop] { loop.close_all(); });
  return false;
}

void check_listening(const server_options& options) {
  asio::io_context io;
  tcp::acceptor trial{io};
  listen_at(endpoint_of(options), trial);
}

void check_listening(const std::string& address, std::uint16_t port) {
  error_code is_a_name;
  const auto parsed = asio::ip::make_address(address, is_a_name);
  if (is_a_name) return;
  asio::io_context io;
  tcp::acceptor trial{io};
  listen_at({parsed, port}, trial);
}

server::server(server_options options, server_parts parts)
    : state_(std::make_unique<state>(std::move(options), std::move(parts))) {}

server::~server() = default;

void server::start() { state_->start(); }
bool server::drain(std::chrono::steady_clock::time_point deadline) { return state_->drain(deadline); }
bool server::is_draining() const { return state_->is_draining.load(std::memory_order_relaxed); }
std::uint16_t server::port() const { return state_->port; }
std::shared_ptr<prometheus::Collectable> server::metrics() const { return state_->metrics; }

}  // namespace troupe::http
