#include "cli/server_options.hpp"

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <thread>

#include "runtime/store/directory.hpp"

namespace troupe::cli {

namespace {
constexpr std::uint16_t new_directory_shards = 16;
}

void add_cluster_options(CLI::App& command, cluster_options& options) {
  command.add_option("--etcd", options.etcd, "The authority: URLs of etcd's members, separated by commas")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option("--cluster", options.cluster, "The cluster's name in etcd")->capture_default_str();
}

void add_data_option(CLI::App& command, std::string& data, const std::string& meaning) {
  command.add_option("--data", data, meaning)
      ->check([](const std::string& text) { return text.empty() ? "is empty" : std::string{}; })
      ->capture_default_str();
}

void add_public_port_options(CLI::App& command, std::string& address, std::uint16_t& port,
                             unsigned& io_threads) {
  command.add_option("--address,--host", address, "Address of the public port")->capture_default_str();
  command.add_option("--port", port, "Public port; 0 picks a free one")->capture_default_str();
  command.add_option("--io-threads", io_threads, "HTTP threads; 0: half the cores")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
}

void add_ops_port_options(CLI::App& command, std::string& address, std::uint16_t& port) {
  command.add_option("--ops-address", address, "Address of the operations port")->capture_default_str();
  command.add_option("--ops-port", port, "Operations port; 0 picks a free one")->capture_default_str();
}

void add_actor_options(CLI::App& command, std::size_t& scheduler_threads, std::size_t& resident_max) {
  command
      .add_option("--scheduler-threads", scheduler_threads, "Actor threads; 0: half the cores, at least 2")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command.add_option("--resident-max", resident_max, "Entities kept in memory")
      ->check(CLI::Range(64, 100'000'000))
      ->capture_default_str();
}

void add_process_options(CLI::App& command, unsigned& drain_seconds, std::string& pid_file,
                         const std::string& kept_while) {
  command.add_option("--drain-seconds", drain_seconds, "How long SIGTERM waits for work under way")
      ->check(CLI::Range(0, 600))
      ->capture_default_str();
  command.add_option("--pid-file", pid_file, "Holds the process id while " + kept_while);
}

void add_access_log_option(CLI::App& command, bool& access_log) {
  command.add_flag("--access-log", access_log, "One log line a request");
}

http::server_options public_port(const std::string& address, std::uint16_t port, unsigned io_threads,
                                 bool access_log) {
  http::server_options out;
  out.address = address;
  out.port = port;
  out.threads = io_threads > 0 ? io_threads : std::clamp(std::thread::hardware_concurrency() / 2, 1U, 16U);
  out.access_log = access_log;
  return out;
}

std::uint16_t shard_count(std::uint16_t asked_for, const std::string& data) {
  if (asked_for != 0) return asked_for;
  const auto found = shard_count_of(data);
  return found != 0 ? found : new_directory_shards;
}

}  // namespace troupe::cli
