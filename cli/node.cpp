#include "cli/node.hpp"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <limits>
#include "cli/command.hpp"

#include "actors/kinds.hpp"
#include "cli/process.hpp"
#include "cli/server_options.hpp"
#include "cluster/authority/etcd/key_space.hpp"
#include "cluster/node/cluster_metrics.hpp"
#include "cluster/node/cluster_node.hpp"
#include "cluster/transport/address.hpp"
#include "http_front/boot_error.hpp"
#include "http_front/ops/ops_server.hpp"
#include "http_front/server.hpp"
#include "runtime/base/log.hpp"
#include "runtime/entity/json_write.hpp"
#include "runtime/obs/node_metrics.hpp"

namespace troupe::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

struct shard_stats {
  std::uint32_t shard = 0;
  bool is_primary = false;
  std::uint64_t last = 0, committed = 0, applied = 0;  // entries
};
TROUPE_DESCRIBE(shard_stats, shard, is_primary, last, committed, applied)

struct node_stats {
  std::string service = "troupe node";
  std::string name;
  std::int64_t uptime_seconds = 0;
  std::uint64_t primaries = 0;  // shards that this node runs
  node_figures node;
  cluster_refusals refused;
  std::vector<shard_stats> shards;
};
TROUPE_DESCRIBE(node_stats, service, name, uptime_seconds, primaries, node, refused, shards)

cluster_node_options options_of(const node_command_options& from) {
  cluster_node_options out;
  out.runtime.data_directory = from.data;
  out.runtime.disk = from.parts.disk;
  out.runtime.scheduler_threads = from.scheduler_threads;
  out.runtime.resident_max = from.resident_max;
  out.runtime.shard_count = shard_count(from.shards, from.data);
  out.authority.endpoints = from.cluster.etcd;
  out.authority.cluster = from.cluster.cluster;
  out.name = from.name;
  out.zone = from.zone;
  out.trusts_disk = from.trusts_disk;
  // Who hears of it asks from other machines too, unless all of the cluster is on this one.
  if (from.ops_port != 0 && (is_loopback(from.address) || !is_loopback(from.ops_address)))
    out.ops = from.ops_address + ":" + std::to_string(from.ops_port);
  out.transport.address = from.address;
  out.transport.port = from.port;
  out.transport.source = from.address;
  out.advertised = from.advertised;
  out.replicas = from.replicas;
  out.register_patience = seconds{from.wait_seconds};
  if (from.keep_log) out.runtime.journal.trim_bytes = std::numeric_limits<std::size_t>::max();
  return out;
}

/// The operations port of a node.
class node_ops {
 public:
  node_ops(const node_command_options& options, cluster_node& here)
      : options_(options),
        node_(here),
        metrics_(make_node_metrics(here.runtime())),
        cluster_metrics_(make_cluster_metrics(here)) {
    http::ops_options where;
    where.address = options.ops_address;
    where.port = options.ops_port;
    http::ops_sources from;
    from.clock = &clock_;
    from.not_ready = [this] { return not_ready(); };
    from.health = from.database = [this] { return health(); };
    from.services = [] { return std::vector<http::health_check>{}; };
    from.stats = [this] { return stats(); };
    from.metrics = {metrics_, cluster_metrics_};
    server_ = std::make_unique<http::ops_server>(where, std::move(from));
  }
  std::uint16_t port() const { return server_->port(); }
  void drain() { is_draining_ = true; }

 private:
  std::vector<std::string> not_ready() const {
    if (is_draining_) return {"draining"};
    auto why = node_.not_ready();
    if (node_.runtime().figures().storage_full) why.emplace_back("the disk is full");
    return why;
  }
  std::vector<http::health_check> health() const {
    if (is_draining_) return {};
    return {{"store", node_.runtime().figures().storage_full ? "the disk is full: changes are refused" : ""}};
  }
  std::string stats() const {
    if (is_draining_) return "{}";
    node_stats now;
    now.name = options_.name;
    now.uptime_seconds = std::chrono::duration_cast<seconds>(steady_clock::now() - started_at_).count();
    now.primaries = node_.primaries();
    now.node = node_.runtime().figures();
    now.refused = node_.refusals();
    const auto progress = node_.progress();
    for (std::uint32_t shard = 0; shard < progress.size(); ++shard) {
      const auto* one = progress[shard];
      if (one != nullptr)
        now.shards.push_back({shard, one->is_primary, one->last, one->committed, one->applied});
    }
    std::string out;
    write_json(out, now);
    return out;
  }

  const node_command_options& options_;
  cluster_node& node_;
  const steady_clock::time_point started_at_ = steady_clock::now();
  system_clock clock_;
  std::atomic<bool> is_draining_{false};
  std::shared_ptr<prometheus::Collectable> metrics_;
  std::shared_ptr<prometheus::Collectable> cluster_metrics_;
  std::unique_ptr<http::ops_server> server_;
};

/// What would fail later is refused before the node is registered: others would wait for it.
void check_options(const node_command_options& options, const cluster_node_options& how) {
  if (const auto fault = etcd::fault_in(how.authority); !fault.empty()) throw http::boot_error(fault);
  for (const auto* name : {&options.name, &options.zone})
    if (!etcd::is_plain_name(*name) && (name == &options.name || !name->empty()))
      throw http::boot_error("\"" + *name + "\" is no name: a-z, 0-9 and '-' are, up to 63 of them");
  if (const auto fault = fault_in_listening(options.address); !fault.empty())
    throw http::boot_error("--address: " + fault);
  if (!options.advertised.empty())
    if (const auto fault = fault_in_advertised(options.advertised); !fault.empty())
      throw http::boot_error("--advertise: " + fault);
  http::check_listening(options.address, options.port);
  http::check_listening(options.ops_address, options.ops_port);
  check_pid_file(options.pid_file);
}

void log_end(const cluster_node::stopped& how) {
  if (!how.is_quiet)
    spdlog::warn(
        "stopped at the deadline: what was still at work is unanswered, nothing acknowledged is lost");
  if (how.kept > 0) {
    spdlog::warn(
        "stopped as the primary of {} shards that no other node took over. Whoever has all of their data "
        "does once it can, and so does this node when it is back; nothing acknowledged is lost",
        how.kept);
  } else if (how.is_quiet) {
    spdlog::info("stopped: what it was the primary of is handed over");
  }
}

int run_until_signal(const node_command_options& options, const kind_registry& kinds,
                     const clock_source& clock) {
  end_signals signals;
  auto how = options_of(options);
  how.is_asked_to_end = [&signals] { return signals.is_asked(); };
  how.on_superseded = [] { ::kill(::getpid(), SIGTERM); };
  check_options(options, how);
  auto started = cluster_node::start(how, kinds, clock);
  if (const auto* fault = std::get_if<store_error>(&started)) {
    spdlog::critical("{}", fault->message);
    return 1;
  }
  const auto here = std::move(std::get<std::unique_ptr<cluster_node>>(started));
  auto ops = std::make_unique<node_ops>(options, *here);
  const pid_file pid{options.pid_file};
  spdlog::info("node {} is member {} run {} of cluster {}: {}:{} (operations http://{}:{}), data in {}",
               options.name, static_cast<std::uint32_t>(here->self().node), here->self().run,
               options.cluster.cluster, options.address, options.port, options.ops_address, ops->port(),
               options.data);
  wait_for_end(signals, options.drain_seconds);
  ops->drain();
  ops.reset();
  const bool is_superseded = here->is_superseded();
  const auto ended = here->stop(seconds{options.drain_seconds});
  if (is_superseded) return 1;
  log_end(ended);
  return 0;
}

}  // namespace

CLI::App* add_node_command(CLI::App& program, node_command_options& options) {
  auto* command = add_command(program, "node", "Run one node of a cluster: it hosts shards");
  add_cluster_options(*command, options.cluster);
  command->add_option(
      "--zone", options.zone,
      "What may fail together with this node, a rack for instance; copies of a shard are in different zones "
      "if they can");
  command->add_option("--name", options.name, "The node's name, the same at every start")->required();
  command->add_flag(
      "--trust-disk", options.trusts_disk,
      "Take the directory although the authority knows a later state of this node: after the authority "
      "was restored from a backup. Otherwise acknowledged data may be lost");
  add_data_option(*command, options.data, "Data directory; made when it does not exist");
  command
      ->add_option("--address", options.address,
                   "IP address for other nodes and fronts. What is spoken there is neither encrypted nor "
                   "authenticated: a loopback or private address only, others are refused")
      ->capture_default_str();
  command->add_option("--port", options.port, "Port for other nodes and fronts")
      ->check(CLI::Range(1, 65'535))
      ->capture_default_str();
  command->add_option("--advertise", options.advertised,
                      "IP:PORT where other nodes and fronts reach it, when that is not where it listens");
  add_ops_port_options(*command, options.ops_address, options.ops_port);
  command->get_option("--ops-address")
      ->description(
          "Address of the operations port. `troupe status --etcd` asks it how far copies are behind; "
          "beside an --address that is not loopback a loopback one is told to nobody, and it shows \"?\"");
  command
      ->add_option("--replicas", options.replicas, "Copies of each shard, when this node founds the cluster")
      ->check(CLI::Range(1, 7))
      ->capture_default_str();
  command
      ->add_option("--shards", options.shards,
                   "Slices of all entities, fixed when the cluster is made; 0: as the data directory is, 16 "
                   "for a new one")
      // One shard alone does not say how many copies it is to have: that is read off the others
      // (cluster/placement).
      ->check(CLI::Range(2, 1024) | CLI::Range(0, 0))
      ->capture_default_str();
  add_actor_options(*command, options.scheduler_threads, options.resident_max);
  command
      ->add_option("--wait-seconds", options.wait_seconds,
                   "How long a start waits for etcd; SIGTERM ends that")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command->add_flag("--keep-log", options.keep_log,
                    "Never drop what is applied from the log, which grows for ever then: for checks that "
                    "compare whole logs");
  add_process_options(*command, options.drain_seconds, options.pid_file, "the node is running");
  command->footer(
      "Example, three nodes on one machine:\n"
      "  troupe node --name a --data a --port 7401 --ops-port 9191 --etcd http://127.0.0.1:2379\n"
      "  troupe node --name b --data b --port 7402 --ops-port 9192 --etcd http://127.0.0.1:2379\n"
      "  troupe node --name c --data c --port 7403 --ops-port 9193 --etcd http://127.0.0.1:2379\n"
      "`scripts/cluster.sh start` does that, with an etcd and fronts.");
  return command;
}

int run_node(const node_command_options& options) {
  return run_server([&] {
    const auto kinds = options.parts.kinds ? options.parts.kinds() : all_kinds();
    const system_clock clock;
    return run_until_signal(options, kinds, clock);
  });
}

}  // namespace troupe::cli
