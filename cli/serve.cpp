#include "cli/serve.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "actors/kinds.hpp"
#include "cli/command.hpp"
#include "cli/process.hpp"
#include "cli/server_options.hpp"
#include "cli/token_press.hpp"
#include "cluster/replica_host/standalone_node.hpp"
#include "http_front/boot_error.hpp"
#include "http_front/ops/ops_server.hpp"
#include "http_front/server.hpp"
#include "runtime/base/log.hpp"
#include "runtime/entity/json_write.hpp"
#include "runtime/obs/node_metrics.hpp"

namespace troupe::cli {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

struct stats {
  std::string service = "troupe";
  std::int64_t uptime_seconds = 0;
  node_figures node;
};
TROUPE_DESCRIBE(stats, service, uptime_seconds, node)

http::server_options public_port_of(const serve_options& options) {
  auto out = public_port(options.address, options.port, options.io_threads, options.access_log);
  out.compat = options.compat;
  out.compat_beyond_loopback = options.compat_beyond_loopback;
  return out;
}

/// What would be refused later is refused before there is a data directory.
void check_options(const serve_options& options) {
  http::check_listening(public_port_of(options));
  http::check_listening(options.ops_address, options.ops_port);
  check_pid_file(options.pid_file);
}

class serving {
 public:
  serving(const serve_options& options, std::unique_ptr<standalone_node> started)
      : options_(options), started_at_(steady_clock::now()), node_(std::move(started)) {
    keys_ = std::make_shared<http::signing_keys>(http::load_or_create_keys(key_file_of(options.data)));
    http::server_parts parts;
    parts.routes = all_routes();
    parts.make_port = [this](std::function<void()> wake) {
      return node_->runtime().make_port(std::move(wake));
    };
    parts.keys = keys_;
    parts.clock = &clock_;
    parts.health = [this] { return health(); };
    parts.stats = [this] { return stats_json(); };
    front_ = std::make_unique<http::server>(public_port_of(options), std::move(parts));
    node_metrics_ = make_node_metrics(node_->runtime());
    front_metrics_ = front_->metrics();
    start_ops();
    front_->start();
  }

  std::uint16_t port() const { return front_->port(); }
  std::uint16_t ops_port() const { return ops_->port(); }

  /// True when everything that was accepted has been answered and is on disk.
  bool drain() {
    draining_ = true;
    const auto deadline = steady_clock::now() + seconds{options_.drain_seconds};
    const bool answered = front_->drain(deadline);
    front_.reset();
    const bool quiet = node_->runtime().stop(std::chrono::duration_cast<std::chrono::milliseconds>(
        std::max(deadline - steady_clock::now(), steady_clock::duration{seconds{1}})));
    return answered && quiet;
  }

 private:
  void start_ops() {
    http::ops_options where;
    where.address = options_.ops_address;
    where.port = options_.ops_port;
    http::ops_sources from;
    from.clock = &clock_;
    from.not_ready = [this] {
      std::vector<std::string> reasons;
      if (draining_) reasons.emplace_back("draining");
      if (node_->runtime().figures().storage_full) reasons.emplace_back("the disk is full");
      return reasons;
    };
    from.health = [this] { return health(); };
    from.database = [this] { return health(); };
    from.services = [] { return std::vector<http::health_check>{}; };
    from.stats = [this] { return stats_json(); };
    from.metrics = {node_metrics_, front_metrics_};
    ops_ = std::make_unique<http::ops_server>(where, std::move(from));
  }

  std::vector<http::health_check> health() const {
    return {
        {"store", node_->runtime().figures().storage_full ? "the disk is full: changes are refused" : ""}};
  }

  std::string stats_json() const {
    std::string out;
    write_json(out,
               stats{"troupe", std::chrono::duration_cast<seconds>(steady_clock::now() - started_at_).count(),
                     node_->runtime().figures()});
    return out;
  }

  const serve_options& options_;
  const steady_clock::time_point started_at_;
  system_clock clock_;
  std::atomic<bool> draining_{false};
  std::unique_ptr<standalone_node> node_;
  std::shared_ptr<http::signing_keys> keys_;
  std::shared_ptr<prometheus::Collectable> node_metrics_;
  std::shared_ptr<prometheus::Collectable> front_metrics_;
  std::unique_ptr<http::server> front_;  // its ports go before the node
  std::unique_ptr<http::ops_server> ops_;
};

int serve_until_signal(const serve_options& options, const kind_registry& kinds, const clock_source& clock) {
  end_signals signals;
  check_options(options);
  node_options runtime;
  runtime.data_directory = options.data;
  runtime.scheduler_threads = options.scheduler_threads;
  runtime.resident_max = options.resident_max;
  runtime.shard_count = shard_count(options.shards, options.data);
  auto started = standalone_node::start(runtime, kinds, clock);
  if (const auto* fault = std::get_if<store_error>(&started)) {
    spdlog::critical("{}", fault->message);
    return 1;
  }
  serving all{options, std::move(std::get<std::unique_ptr<standalone_node>>(started))};
  const pid_file pid{options.pid_file};
  spdlog::info("ready: http://{}:{} (operations http://{}:{}), data in {}", options.address, all.port(),
               options.ops_address, all.ops_port(), options.data);
  wait_for_end(signals, options.drain_seconds);
  const bool clean = all.drain();
  if (clean) {
    spdlog::info("stopped");
  } else {
    spdlog::warn(
        "stopped at the deadline: what was still at work is unanswered, nothing acknowledged is lost");
  }
  return 0;
}

}  // namespace

CLI::App* add_serve_command(CLI::App& program, serve_options& options) {
  auto* command =
      add_command(program, "serve", "Run everything in one process: actors, HTTP, operations port");
  add_data_option(*command, options.data, "Data directory; made when it does not exist");
  add_public_port_options(*command, options.address, options.port, options.io_threads);
  add_ops_port_options(*command, options.ops_address, options.ops_port);
  add_actor_options(*command, options.scheduler_threads, options.resident_max);
  command
      ->add_option(
          "--shards", options.shards,
          "Slices of all entities, fixed when the data directory is made; 0: as it is, 16 for a new one")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  command->add_flag("--compat", options.compat,
                    "Also serve the task and notification paths without /api/v1 and without a token");
  command->add_flag("--compat-beyond-loopback", options.compat_beyond_loopback,
                    "Allow --compat on an address that others can reach");
  add_access_log_option(*command, options.access_log);
  add_process_options(*command, options.drain_seconds, options.pid_file, "the server is ready");
  command->footer(
      "Examples:\n"
      "  troupe serve\n"
      "  troupe serve --data /var/lib/troupe --port 8080 --ops-port 9090\n"
      "  troupe token --data data --user 0190b1c0-0000-7000-8000-000000000001 --role admin");
  return command;
}

int run_serve(const serve_options& options) {
  return run_server([&] {
    const auto kinds = all_kinds();
    const system_clock clock;
    return serve_until_signal(options, kinds, clock);
  });
}

}  // namespace troupe::cli
