#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "cli/program.hpp"
#include "cli/server_options.hpp"

namespace troupe::cli {

/// What `troupe node` was asked to do.
struct node_command_options {
  cluster_options cluster;
  std::string data = "data";
  std::string name;
  bool trusts_disk = false;
  std::string zone;
  std::string address = "127.0.0.1";
  std::uint16_t port = 7400;
  std::string advertised;  // ip:port; empty: address and port
  std::string ops_address = "127.0.0.1";
  std::uint16_t ops_port = 9090;
  std::size_t scheduler_threads = 0;
  std::uint16_t shards = 0;  // 0: what the data directory has, or 16
  std::uint32_t replicas = 3;
  std::size_t resident_max = 25'600;
  unsigned wait_seconds = 60;
  bool keep_log = false;
  unsigned drain_seconds = 10;
  std::string pid_file;
  program_parts parts{};
};

CLI::App* add_node_command(CLI::App& program, node_command_options& options);

/// One node of a cluster: hosts shards, speaks to other nodes and to fronts. Returns the exit code.
int run_node(const node_command_options& options);

}  // namespace troupe::cli
