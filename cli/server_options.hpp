#pragma once

#include <CLI/App.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "http_front/server.hpp"

/// The options that several of `serve`, `node`, `front` and `status` have, each said once.
namespace troupe::cli {

/// How a process finds its cluster.
struct cluster_options {
  std::vector<std::string> etcd{"http://127.0.0.1:2379"};
  std::string cluster = "troupe";
};
void add_cluster_options(CLI::App& command, cluster_options& options);

void add_data_option(CLI::App& command, std::string& data, const std::string& meaning);
void add_public_port_options(CLI::App& command, std::string& address, std::uint16_t& port,
                             unsigned& io_threads);
void add_ops_port_options(CLI::App& command, std::string& address, std::uint16_t& port);
void add_actor_options(CLI::App& command, std::size_t& scheduler_threads, std::size_t& resident_max);
/// `kept_while`: until when the pid file is there.
void add_process_options(CLI::App& command, unsigned& drain_seconds, std::string& pid_file,
                         const std::string& kept_while);
void add_access_log_option(CLI::App& command, bool& access_log);

/// 0 threads: half the cores.
http::server_options public_port(const std::string& address, std::uint16_t port, unsigned io_threads,
                                 bool access_log);
/// 0 asked for: as many as the data directory has, or 16 for a new one.
std::uint16_t shard_count(std::uint16_t asked_for, const std::string& data);

}  // namespace troupe::cli
