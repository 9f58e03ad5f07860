#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http_front/auth/signing_keys.hpp"
#include "http_front/health.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/entity/route.hpp"
#include "runtime/host/command.hpp"

namespace prometheus {
class Collectable;
}

namespace troupe::http {

/// What the server is told by its configuration. Every wait and every size has a bound here.
struct server_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one, see server::port()
  unsigned threads = 2;

  std::size_t connections_max = 20'000;
  std::uint32_t head_bytes_max = 16 * 1024;  // request line and headers together
  std::uint64_t body_bytes_max = 256 * 1024;
  std::uint64_t body_bytes_total_max = 64 * 1024 * 1024;  // of all bodies that are being received

  std::chrono::milliseconds head_timeout{10'000};
  std::chrono::milliseconds body_timeout{30'000};
  std::chrono::milliseconds idle_timeout{75'000};
  std::chrono::milliseconds write_timeout{30'000};
  std::chrono::milliseconds linger_timeout{2'000};  // to read on after an answer that ends the connection
  std::chrono::milliseconds command_timeout{5'000};
  std::chrono::milliseconds sweep_every{1'000};  // how exactly the time-outs above are kept

  /// Serves the routes marked compat_only, without a token and with an admin's rights: only on a loopback
  /// address and to requests whose Host is one, unless ...
  bool compat = false;
  bool compat_beyond_loopback = false;
  bool access_log = false;
};

/// Throws the boot_error that a server with these options would throw: an address that is none, a port that
/// is taken, compat routes that others could reach. For who would have something to undo by then.
void check_listening(const server_options& options);
/// The same for any port. An address that is a name is not looked up, and so not checked.
void check_listening(const std::string& address, std::uint16_t port);

/// What the server works with; all of it outlives the server.
struct server_parts {
  std::vector<route_block> routes;
  /// Called once for each I/O thread, in the server's constructor, on the caller's thread. `wake` may be
  /// called from any thread until the port is destroyed; it makes the loop call drain() once, soon.
  std::function<std::unique_ptr<command_port>(std::function<void()> wake)> make_port;
  std::shared_ptr<const signing_keys> keys;
  const clock_source* clock = nullptr;
  health_source health;
  std::function<std::string()> stats;  // a JSON object; never waits
};

/// The public HTTP port: N threads, each with its own event loop, connections and command_port; a connection
/// stays on its loop for life, so nothing on the way of a request is locked or shared. Life: construct
/// (binds, listens, throws boot_error) -> start -> drain -> destroy.
class server {
 public:
  server(server_options options, server_parts parts);
  /// Stops at once: what is under way is cut off. Call drain() before.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  void start();
  /// Stops accepting, answers what was accepted with `Connection: close`, closes idle connections. Comes back
  /// when all connections have ended, or at the deadline, after which the rest is cut off; true: nothing was.
  bool drain(std::chrono::steady_clock::time_point deadline);
  /// From the beginning of drain(): a reason for /readyz to say no. Any thread may ask.
  bool is_draining() const;

  /// The port that is listened on.
  std::uint16_t port() const;
  /// http_request_duration_seconds and its companions, for a scrape on any thread.
  std::shared_ptr<prometheus::Collectable> metrics() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace troupe::http
