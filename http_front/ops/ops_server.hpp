#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http_front/health.hpp"
#include "runtime/base/clock.hpp"

namespace prometheus {
class Collectable;
}

namespace troupe::http {

struct ops_options {
  std::string address = "127.0.0.1";
  std::uint16_t port = 9090;  // 0: any free one, see ops_server::port()
  unsigned threads = 16;      // each serves one connection at a time, an idle one for 2 s
};

/// Where the answers come from. The functions are called on the operations threads, at any time until the
/// server is destroyed; they read what is known and never wait for the runtime.
struct ops_sources {
  const clock_source* clock = nullptr;
  /// Why this process should get no traffic: draining, catching up. Empty: ready.
  std::function<std::vector<std::string>()> not_ready;
  health_source health;                // everything
  health_source database;              // the store
  health_source services;              // other nodes and the authority
  std::function<std::string()> stats;  // a JSON object
  std::vector<std::weak_ptr<prometheus::Collectable>> metrics;
};

/// The operations port: health, readiness, figures and Prometheus metrics on threads of its own, so that it
/// answers while the public port is saturated. It has no authentication and belongs on loopback or a private
/// network.
class ops_server {
 public:
  /// Listens and serves from here on. Throws boot_error when it cannot.
  ops_server(ops_options options, ops_sources sources);
  ~ops_server();
  ops_server(const ops_server&) = delete;
  ops_server& operator=(const ops_server&) = delete;

  std::uint16_t port() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace troupe::http
