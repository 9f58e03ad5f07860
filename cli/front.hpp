#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>

#include "cli/server_options.hpp"

namespace troupe::cli {

/// What `troupe front` was asked to do.
struct front_command_options {
  cluster_options cluster;
  std::string data = "data";  // holds the signing keys, the same for all fronts of a cluster
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;
  std::string link_address;  // nodes are reached from there; empty: the system's choice
  std::string ops_address = "127.0.0.1";
  std::uint16_t ops_port = 9090;
  unsigned io_threads = 0;  // 0: half the cores
  unsigned wait_seconds = 60;
  unsigned drain_seconds = 10;
  bool access_log = false;
  std::string pid_file;
};

CLI::App* add_front_command(CLI::App& program, front_command_options& options);

/// HTTP for a cluster: no data but the signing keys. Returns the exit code.
int run_front(const front_command_options& options);

}  // namespace troupe::cli
