#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>

namespace troupe::cli {

/// What `troupe serve` was asked to do.
struct serve_options {
  std::string data = "data";
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string ops_address = "127.0.0.1";
  std::uint16_t ops_port = 9090;
  unsigned io_threads = 0;  // 0: half the cores
  std::size_t scheduler_threads = 0;
  std::uint16_t shards = 0;  // 0: what the data directory has, or 16
  std::size_t resident_max = 25'600;
  unsigned drain_seconds = 10;
  bool compat = false;
  bool compat_beyond_loopback = false;
  bool access_log = false;
  std::string pid_file;
};

CLI::App* add_serve_command(CLI::App& program, serve_options& options);

/// Everything in one process: actors, HTTP, operations port. Serves until SIGTERM or SIGINT, then drains.
/// Returns the exit code.
int run_serve(const serve_options& options);

}  // namespace troupe::cli
