#pragma once

#include <CLI/App.hpp>
#include <string>

#include "cli/server_options.hpp"

namespace troupe::cli {

struct status_options {
  std::string ops_url = "http://127.0.0.1:9090";
  bool json = false;
  cluster_options cluster;
  bool is_cluster = false;  // asked of the authority, not of a server
  std::string entity;       // kind/key: only where it is
};

CLI::App* add_status_command(CLI::App& program, status_options& options);

/// Asks the operations port of a running server. Exit code 0: ready, 1: not ready, 2: not reached.
int run_status(const status_options& options);

/// Asks the authority of a cluster for nodes, shards, primaries and in-sync sets. Exit code 0: every shard
/// has all its copies, 1: some do not, 2: the authority was not reached.
int run_cluster_status(const status_options& options);

}  // namespace troupe::cli
