#pragma once

#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "runtime/host/bridge.hpp"
#include "runtime/host/shard_actor.hpp"
#include "test/integration/runtime/lone_replica.hpp"
#include "test/integration/runtime/toy_kinds.hpp"
#include "test/support/temporary_directory.hpp"

/// Shards, entity actors and the bridge over CAF's deterministic scheduler: one thread, virtual time, and a
/// journal that syncs and applies when the test says so.
namespace troupe::test {

class manual_clock final : public clock_source {
 public:
  timestamp wall() const override { return now + set_by; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point{std::chrono::milliseconds{now.ms}};
  }
  timestamp now{1'800'000'000'000};
  std::chrono::milliseconds set_by{0};  // how far somebody has set the wall clock
};

/// Keeps appended chunks until the test lets them reach "the disk" and the rows.
class manual_log final : public shard_log {
 public:
  void write(log_write&& what) override { unsynced.push_back(std::move(what)); }
  void commit(shard_id shard, std::uint64_t index, bool) override { committed[shard] = index; }

  std::deque<log_write> unsynced;
  std::deque<log_write> unapplied;
  std::map<shard_id, std::uint64_t> committed;
};

class shard_fixture {
 public:
  static constexpr std::uint16_t shard_count = 4;

  shard_fixture() : shard_fixture(shard_options{}) {}
  explicit shard_fixture(const shard_options& options) : options_(options) { boot(); }
  ~shard_fixture() { shut_down(); }

  /// Sends a command and gives the place where its reply will be.
  std::shared_ptr<std::optional<reply>> send(command what) {
    auto slot = std::make_shared<std::optional<reply>>();
    what.deadline = what.deadline == std::chrono::steady_clock::time_point{}
                        ? clock.steady() + std::chrono::seconds{5}
                        : what.deadline;
    port->submit(std::move(what), [slot](reply&& r) { *slot = std::move(r); });
    port->flush();
    run();
    return slot;
  }
  template <class Message>
  command make(const std::string& key, const Message& message, const std::string& id = {}) {
    command what;
    what.target = {counter::kind::options.id, key};
    what.message = counter::kind::number_of<Message>();
    what.is_query = counter::kind::is_query<Message>();
    what.body = encode(message);
    if (!id.empty()) what.id = uuid_from_bytes((id + std::string(16, '.')).substr(0, 16)).value();
    what.fingerprint = stable_hash(what.body);
    return what;
  }
  /// Runs all actors until nothing is left to do, and takes in the replies.
  void run() {
    scheduler().run();
    port->drain();
  }
  /// Everything appended is on disk, the shards know.
  void sync() {
    while (!log.unsynced.empty()) {
      auto one = std::move(log.unsynced.front());
      log.unsynced.pop_front();
      caf::anon_send(environment.shards[one.shard], synced_notice{one.number});
      log.unapplied.push_back(std::move(one));
      run();
    }
  }
  /// Everything committed is in the rows, the shards know.
  void apply() {
    store_batch batch;
    std::map<shard_id, std::uint64_t> applied;
    for (const auto& one : log.unapplied) {
      chunk_view chunk;
      TROUPE_ASSERT(decode_chunk(one.shard, one.first_index, *one.bytes, chunk), "test chunk");
      auto index = chunk.first_index;
      for (const auto entry : chunk.entries) buffer_.add(one.shard, index++, chunk.epoch, entry);
      applied[one.shard] = one.last_index;
    }
    buffer_.flush_into(batch);
    stored->write(batch, store::durability::synced);
    log.unapplied.clear();
    for (const auto& [shard, index] : applied)
      caf::anon_send(environment.shards[shard], applied_notice{index});
    run();
  }
  /// Syncs and applies until no shard has anything left to do.
  void settle() {
    for (int round = 0; round < 50; ++round) {
      advance(std::chrono::milliseconds{55});
      sync();
      apply();
    }
  }
  void advance(std::chrono::milliseconds by) {
    clock.now = clock.now + by;
    scheduler().advance_time(by);
    run();
  }
  /// The process dies: what is not applied is lost unless it was synced (then it is replayed), and starts
  /// again.
  void crash_and_restart() {
    auto survivors = std::move(log.unapplied);
    shut_down();
    log.unapplied = std::move(survivors);
    log.unsynced.clear();
    boot();
  }
  void restart_with(const shard_options& options) {
    options_ = options;
    crash_and_restart();
  }
  std::int64_t value_of(const std::string& key) {
    const auto got = send(make(key, counter::get{}));
    settle();
    counter::total t;
    TROUPE_ASSERT(got->has_value() && decode((*got)->bytes, t), "no reply to get");
    return t.value;
  }
  shard_id home_of(const std::string& key) const {
    return shard_of({counter::kind::options.id, key}, shard_count);
  }

  /// The process is going to stop: whether that shard has nothing left to do.
  bool is_quiet_at_stop(shard_id shard) {
    bool is_quiet = false;
    caf::scoped_actor self{*system};
    auto asked = self->request(environment.shards[shard], caf::infinite, quiet_question{true});
    run();
    asked.receive([&](bool quiet) { is_quiet = quiet; }, [](caf::error&) {});
    return is_quiet;
  }

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system->scheduler());
  }

  temporary_directory directory;
  kind_registry kinds{{describe_kind<counter::kind>()}};
  manual_clock clock;
  manual_log log;
  std::unique_ptr<store> stored;
  std::array<shard_figures, shard_count> figures;
  replica_control control;
  std::map<shard_id, lone_replica*> replicas;
  shard_environment environment;
  std::unique_ptr<caf::actor_system_config> config;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<command_port> port;

 private:
  void boot() {
    store_options disk;
    disk.directory = directory.path();
    disk.shard_count = shard_count;
    auto opened = store::open(disk);
    TROUPE_ASSERT(std::holds_alternative<std::unique_ptr<store>>(opened),
                  std::get<store_error>(opened).message);
    stored = std::move(std::get<std::unique_ptr<store>>(opened));
    if (!log.unapplied.empty()) replay();
    config = std::make_unique<caf::actor_system_config>();
    config->set("scheduler.policy", caf::atom("testing"));
    config->set("logger.inline-output", true);
    system = std::make_unique<caf::actor_system>(*config);
    environment.options = options_;
    environment.kinds = &kinds;
    environment.stored = stored.get();
    environment.log = &log;
    environment.clock = &clock;
    environment.make_replica = [this](replica_place place) {
      const auto shard = place.shard;
      auto made = std::make_unique<lone_replica>(std::move(place), stored->epoch(), control);
      replicas[shard] = made.get();
      return made;
    };
    for (shard_id id = 0; id < shard_count; ++id) {
      recovered_shard found;
      found.applied = found.last = stored->applied(id).index;
      environment.shards.push_back(
          system->spawn<shard_actor>(&environment, id, std::move(found), &figures[id], id));
    }
    port = make_bridge(system.get(), environment, [] {});
    for (const auto& to : environment.shards) caf::anon_send(to, caf::ok_atom_v);
    run();
  }
  void replay() {
    store_batch batch;
    for (const auto& one : log.unapplied) {
      chunk_view chunk;
      TROUPE_ASSERT(decode_chunk(one.shard, one.first_index, *one.bytes, chunk), "test chunk");
      auto index = chunk.first_index;
      for (const auto entry : chunk.entries) buffer_.add(one.shard, index++, chunk.epoch, entry);
    }
    buffer_.flush_into(batch);
    stored->write(batch, store::durability::synced);
    log.unapplied.clear();
  }
  void shut_down() {
    port.reset();
    for (const auto& to : environment.shards) caf::anon_send_exit(to, caf::exit_reason::kill);
    scheduler().run();
    environment.shards.clear();
    system.reset();
    stored.reset();
  }

  shard_options options_;
  apply_buffer buffer_{shard_count, apply_buffer::mode::replaying};
};

}  // namespace troupe::test
