#include "runtime/host/node.hpp"

#include <algorithm>
#include <caf/scoped_actor.hpp>
#include <condition_variable>
#include <random>
#include <thread>

#include "runtime/base/assert.hpp"
#include "runtime/host/bridge.hpp"
#include "runtime/host/metronome.hpp"
#include "runtime/host/shard_actor.hpp"
#include "runtime/store/directory.hpp"

namespace troupe {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

caf::actor_system_config& configure(caf::actor_system_config& config, std::size_t threads) {
  // The other half of the cores is for I/O threads and the journal; one thread too many only adds wake-ups.
  // Two at least, so that one that waits for the disk does not hold up everybody.
  if (threads == 0) threads = std::clamp<std::size_t>(std::thread::hardware_concurrency() / 2, 2, 16);
  // Work stealing, the default, polls: 5,000 wake-ups a second for ten messages a second (caf.md, section
  // 0.1).
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", threads);
  config.set("scheduler.max-throughput", static_cast<std::size_t>(50));
  return config;
}

}  // namespace

struct node::impl final : journal_listener {
  node_options options;
  const kind_registry& kinds;
  const clock_source& clock;
  std::unique_ptr<store> stored;
  std::unique_ptr<journal> log;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
  shard_environment environment;
  std::unique_ptr<metronome> ticks;
  std::vector<shard_figures> figures;

  std::mutex watch_mutex;
  std::condition_variable watch_wake;
  bool watch_ends = false;  // guarded by watch_mutex
  std::thread watch;
  std::atomic<bool> storage_full{false};
  std::atomic<std::uint64_t> disk_free{0};
  bool is_stopped = false;
  mutable std::mutex parts_mutex;  // `log` and `stored` go while others may still read the figures

  impl(const node_options& o, const kind_registry& k, const clock_source& c)
      : options(o), kinds(k), clock(c), figures(o.shard_count) {}
  ~impl() override { end(); }

  void on_synced(shard_id shard, std::uint64_t number) override {
    caf::anon_send(environment.shards[shard], synced_notice{number});
  }
  void on_applied(shard_id shard, std::uint64_t index) override {
    caf::anon_send(environment.shards[shard], applied_notice{index});
  }

  void spawn_shards(std::vector<recovered_shard>&& found, replica_parts&& parts) {
    environment.options.resident_max = std::max<std::size_t>(1, options.resident_max / options.shard_count);
    environment.kinds = &kinds;
    environment.stored = stored.get();
    environment.log = log.get();
    environment.clock = &clock;
    environment.make_replica = std::move(parts.make);
    environment.routes = parts.routes;
    environment.options.is_only_replica = parts.routes == nullptr;
    std::random_device entropy;
    for (shard_id id = 0; id < options.shard_count; ++id) {
      const auto seed = static_cast<std::uint64_t>(entropy()) << 32U | entropy();
      environment.shards.push_back(system->spawn<shard_actor, caf::lazy_init>(
          &environment, id, std::move(found[id]), &figures[id], seed));
    }
    ticks = std::make_unique<metronome>(2 * std::size_t{options.shard_count}, [this](std::size_t who) {
      const auto shards = environment.shards.size();
      if (who < shards) {
        caf::anon_send(environment.shards[who], wake_notice{});
      } else {
        caf::anon_send(environment.shards[who - shards], tick_notice{});
      }
    });
    environment.metronome = ticks.get();
    log->start();
    for (const auto& to : environment.shards) caf::anon_send(to, caf::ok_atom_v);
  }

  /// Looks at the disk once a second, so that a full one is met with refusals and not with a failed write.
  void watch_disk() {
    watch = std::thread{[this] {
      std::unique_lock lock{watch_mutex};
      do {
        disk_free = free_bytes(options.data_directory);
        const bool full = disk_free < options.free_bytes_min;
        if (full != storage_full.exchange(full)) {
          for (const auto& to : environment.shards) caf::anon_send(to, storage_notice{full});
        }
      } while (!watch_wake.wait_for(lock, std::chrono::seconds{1}, [this] { return watch_ends; }));
    }};
  }

  bool wait_until_quiet(steady_clock::time_point deadline) {
    caf::scoped_actor self{*system};
    bool stop = true;
    while (steady_clock::now() < deadline) {
      bool all_quiet = true;
      for (const auto& to : environment.shards) {
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
        self->request(to, std::clamp(left, milliseconds{1}, milliseconds{1000}), quiet_question{stop})
            .receive([&](bool quiet) { all_quiet = all_quiet && quiet; },
                     [&](caf::error&) { all_quiet = false; });
      }
      if (all_quiet) return true;
      stop = false;
      std::this_thread::sleep_for(milliseconds{2});
    }
    return false;
  }

  void end() {
    if (is_stopped) return;
    is_stopped = true;
    {
      const std::lock_guard lock{watch_mutex};
      watch_ends = true;
    }
    watch_wake.notify_one();
    if (watch.joinable()) watch.join();
    if (log) log->stop();
    if (ticks) ticks->stop();
    if (system) {
      // Shards send to each other through the environment, so it is emptied when the last of them has ended.
      caf::scoped_actor self{*system};
      for (const auto& to : environment.shards) caf::anon_send_exit(to, caf::exit_reason::user_shutdown);
      for (const auto& to : environment.shards) self->wait_for(to);
      environment.shards.clear();
    }
    system.reset();
    std::unique_ptr<store> last;
    std::unique_ptr<journal> before_it;
    {
      const std::lock_guard lock{parts_mutex};
      last = std::move(stored);
      before_it = std::move(log);
    }
  }
};

bool node::opened_directory::has_data() const {
  return std::any_of(found.begin(), found.end(), [](const recovered_shard& one) {
    return one.last > 0 || one.applied > 0 || !one.meta.empty();
  });
}

node::node(std::unique_ptr<impl> started) : impl_(std::move(started)) {}
node::~node() = default;

std::variant<std::unique_ptr<node>, store_error> node::start(const node_options& options,
                                                             const kind_registry& kinds,
                                                             const clock_source& clock,
                                                             const replication& replicate) {
  auto started = std::make_unique<impl>(options, kinds, clock);
  store_options disk;
  disk.directory = options.data_directory;
  disk.disk = options.disk;
  disk.shard_count = options.shard_count;
  disk.reply_retention_ms = options.reply_retention_ms;
  auto opened = store::open(disk);
  if (auto* fault = std::get_if<store_error>(&opened)) return *fault;
  started->stored = std::move(std::get<std::unique_ptr<store>>(opened));
  started->log =
      std::make_unique<journal>(*started->stored, *started, options.journal, options.data_directory);
  auto recovered = started->log->recover();
  if (auto* fault = std::get_if<store_error>(&recovered)) return *fault;
  auto& found = std::get<std::vector<recovered_shard>>(recovered);
  auto parts = replicate({options.data_directory, found, *started->log, started->stored->owner(),
                          [&stored = *started->stored](const std::string& who) { stored.set_owner(who); },
                          [&disk] { return raise_format(disk); }});
  if (auto* fault = std::get_if<store_error>(&parts)) return *fault;
  if (auto fault = raise_format(disk)) return *fault;
  started->system =
      std::make_unique<caf::actor_system>(configure(started->config, options.scheduler_threads));
  started->spawn_shards(std::move(found), std::move(std::get<replica_parts>(parts)));
  started->watch_disk();
  return std::unique_ptr<node>{new node{std::move(started)}};
}

std::unique_ptr<command_port> node::make_port(std::function<void()> wake) {
  return make_bridge(impl_->system.get(), impl_->environment, std::move(wake));
}

void node::take_parcels(shard_id to, parcel_batch&& parcels) {
  if (to < impl_->environment.shards.size())
    caf::anon_send(impl_->environment.shards[to], std::make_shared<parcel_batch>(std::move(parcels)));
}

void node::take_acknowledgements(shard_id to, shard_id by, std::vector<send_id>&& ids) {
  if (to < impl_->environment.shards.size())
    caf::anon_send(impl_->environment.shards[to],
                   std::make_shared<acknowledgement>(acknowledgement{by, std::move(ids)}));
}

bool node::stop(milliseconds deadline) {
  if (impl_->is_stopped) return true;
  const bool quiet = impl_->wait_until_quiet(steady_clock::now() + deadline);
  impl_->end();
  return quiet;
}

node_figures node::figures() const {
  node_figures sum;
  for (const auto& f : impl_->figures) {
    sum.commands += f.commands;
    sum.queries += f.queries;
    sum.rejections += f.rejections;
    sum.overloaded += f.overloaded;
    sum.replays += f.replays;
    sum.entries += f.entries;
    sum.activations += f.activations;
    sum.passivations += f.passivations;
    sum.timers_fired += f.timers_fired;
    sum.parcels_sent += f.parcels_sent;
    sum.parcels_received += f.parcels_received;
    sum.parcels_unknown += f.parcels_unknown;
    sum.failures += f.failures;
    sum.residents += f.residents;
    sum.queued += f.queued;
    sum.uncommitted += f.last_index > f.committed ? f.last_index - f.committed : 0;
    sum.unapplied += f.committed > f.applied ? f.committed - f.applied : 0;
  }
  const std::lock_guard lock{impl_->parts_mutex};
  if (impl_->log) sum.journal = impl_->log->figures();
  if (impl_->stored) sum.store_bytes = impl_->stored->live_bytes();
  sum.disk_free_bytes = impl_->disk_free;
  sum.storage_full = impl_->storage_full;
  return sum;
}

}  // namespace troupe
