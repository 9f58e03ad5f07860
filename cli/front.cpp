#include "cli/front.hpp"

#include <atomic>
#include <filesystem>

#include "actors/kinds.hpp"
#include "cli/command.hpp"
#include "cli/process.hpp"
#include "cli/server_options.hpp"
#include "cli/token_press.hpp"
#include "cluster/front/cluster_front.hpp"
#include "cluster/transport/address.hpp"
#include "http_front/boot_error.hpp"
#include "http_front/ops/ops_server.hpp"
#include "http_front/server.hpp"
#include "runtime/base/log.hpp"
#include "runtime/entity/json_write.hpp"

namespace troupe::cli {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

struct front_stats {
  std::string service = "troupe front";
  std::int64_t uptime_seconds = 0;
  std::uint64_t nodes_reached = 0;
  std::uint64_t commands_sent = 0;
  std::uint64_t commands_retried = 0;
  std::uint64_t commands_given_up = 0;
};
TROUPE_DESCRIBE(front_stats, service, uptime_seconds, nodes_reached, commands_sent, commands_retried,
                commands_given_up)

http::server_options public_port_of(const front_command_options& options) {
  return public_port(options.address, options.port, options.io_threads, options.access_log);
}

class fronting {
 public:
  fronting(const front_command_options& options, std::unique_ptr<cluster_front> cluster)
      : options_(options), cluster_(std::move(cluster)) {
    std::filesystem::create_directories(options.data);
    http::server_parts parts;
    parts.routes = all_routes();
    parts.make_port = [this](std::function<void()> wake) { return cluster_->make_port(std::move(wake)); };
    parts.keys = std::make_shared<http::signing_keys>(http::load_or_create_keys(key_file_of(options.data)));
    parts.clock = &clock_;
    parts.health = [this] { return health(); };
    parts.stats = [this] { return stats(); };
    http_ = std::make_unique<http::server>(public_port_of(options), std::move(parts));
    start_ops();
    http_->start();
  }
  std::uint16_t port() const { return http_->port(); }
  std::uint16_t ops_port() const { return ops_->port(); }
  bool drain() {
    is_draining_ = true;
    const bool clean = http_->drain(steady_clock::now() + seconds{options_.drain_seconds});
    ops_.reset();
    http_.reset();
    return clean;
  }

 private:
  void start_ops() {
    http::ops_options where;
    where.address = options_.ops_address;
    where.port = options_.ops_port;
    http::ops_sources from;
    from.clock = &clock_;
    from.not_ready = [this] {
      auto why = cluster_->not_ready();
      if (is_draining_) why.emplace_back("draining");
      return why;
    };
    from.health = from.database = from.services = [this] { return health(); };
    from.stats = [this] { return stats(); };
    metrics_ = http_->metrics();
    from.metrics = {metrics_};
    ops_ = std::make_unique<http::ops_server>(where, std::move(from));
  }
  std::vector<http::health_check> health() const {
    const auto why = cluster_->not_ready();
    return {{"cluster", why.empty() ? "" : why.front()}};
  }
  std::string stats() const {
    front_stats now;
    now.uptime_seconds = std::chrono::duration_cast<seconds>(steady_clock::now() - started_at_).count();
    now.nodes_reached = cluster_->transport_state().links_open;
    const auto routing = cluster_->routing();
    now.commands_sent = routing.sent;
    now.commands_retried = routing.retried;
    now.commands_given_up = routing.gave_up;
    std::string out;
    write_json(out, now);
    return out;
  }

  const front_command_options& options_;
  const steady_clock::time_point started_at_ = steady_clock::now();
  system_clock clock_;
  std::atomic<bool> is_draining_{false};
  std::unique_ptr<cluster_front> cluster_;
  std::shared_ptr<prometheus::Collectable> metrics_;
  std::unique_ptr<http::server> http_;  // its ports go before the cluster
  std::unique_ptr<http::ops_server> ops_;
};

int front_until_signal(const front_command_options& options) {
  end_signals signals;
  http::check_listening(public_port_of(options));
  http::check_listening(options.ops_address, options.ops_port);
  if (!options.link_address.empty())
    if (const auto fault = fault_in_source(options.link_address); !fault.empty())
      throw http::boot_error("--link-address: " + fault);
  check_pid_file(options.pid_file);
  cluster_front_options how;
  how.authority.endpoints = options.cluster.etcd;
  how.authority.cluster = options.cluster.cluster;
  how.transport.source = options.link_address;
  how.find_patience = seconds{options.wait_seconds};
  how.is_asked_to_end = [&signals] { return signals.is_asked(); };
  if (const auto fault = etcd::fault_in(how.authority); !fault.empty()) throw http::boot_error(fault);
  auto found = cluster_front::start(how);
  if (const auto* why = std::get_if<std::string>(&found)) {
    spdlog::critical("{}", *why);
    return 1;
  }
  fronting all{options, std::move(std::get<std::unique_ptr<cluster_front>>(found))};
  const pid_file pid{options.pid_file};
  spdlog::info("ready: http://{}:{} (operations http://{}:{}) for cluster {}", options.address, all.port(),
               options.ops_address, all.ops_port(), options.cluster.cluster);
  wait_for_end(signals, options.drain_seconds);
  spdlog::info(all.drain() ? "stopped" : "stopped at the deadline: what was still at work is unanswered");
  return 0;
}

}  // namespace

CLI::App* add_front_command(CLI::App& program, front_command_options& options) {
  auto* command = add_command(program, "front", "Speak HTTP for a cluster");
  add_cluster_options(*command, options.cluster);
  add_data_option(*command, options.data, "Holds the signing keys: the same file for all fronts");
  add_public_port_options(*command, options.address, options.port, options.io_threads);
  add_ops_port_options(*command, options.ops_address, options.ops_port);
  command->add_option("--link-address", options.link_address,
                      "IP address from which nodes are reached (default: the system's choice)");
  command
      ->add_option("--wait-seconds", options.wait_seconds,
                   "How long a start waits for the cluster; SIGTERM ends that")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  add_access_log_option(*command, options.access_log);
  add_process_options(*command, options.drain_seconds, options.pid_file, "the front is ready");
  command->footer(
      "Example:\n"
      "  troupe front --etcd http://127.0.0.1:2379 --data keys --port 8080");
  return command;
}

int run_front(const front_command_options& options) {
  return run_server([&] { return front_until_signal(options); });
}

}  // namespace troupe::cli
