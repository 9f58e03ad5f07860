#pragma once

#include <optional>
#include <random>
#include <vector>

#include "runtime/host/envelopes.hpp"
#include "runtime/host/shard.hpp"
#include "runtime/host/shard_routes.hpp"

namespace troupe {

/// What all shards of a node share. Outlives the actors.
struct shard_environment {
  shard_options options;
  const kind_registry* kinds = nullptr;
  const store* stored = nullptr;
  shard_log* log = nullptr;
  replica_maker make_replica;
  const clock_source* clock = nullptr;
  shard_routes* routes = nullptr;  // null: all shards are here
  /// Wakes shards when they ask, and behind their numbers their replicas; without one (in tests) CAF's clock
  /// does.
  class metronome* metronome = nullptr;
  /// By shard id. Filled before the first message is sent, constant afterwards.
  std::vector<caf::actor> shards;
};

/// The CAF shell around one shard: takes envelopes, calls the shard, and is its way to the world.
class shard_actor final : public caf::event_based_actor, private shard_ports {
 public:
  shard_actor(caf::actor_config& config, const shard_environment* environment, shard_id id,
              recovered_shard found, shard_figures* figures, std::uint64_t seed);
  caf::behavior make_behavior() override;
  const char* name() const override { return "shard"; }
  /// Lets all entities go while the actor system still lives.
  void on_exit() override;

 private:
  std::unique_ptr<entity_link> activate(const kind_descriptor& kind, const entity_ref& entity) override;
  void send_replies(std::uint32_t front, std::vector<ticketed_reply>&& replies) override;
  void send_parcels(shard_id to, parcel_batch&& parcels) override;
  void send_acknowledgements(shard_id to, std::vector<send_id>&& ids) override;
  void wake_after(std::chrono::milliseconds delay) override;
  void propose(proposal&& entries) override { replica_->propose(std::move(entries)); }
  void read(std::uint64_t ticket, std::uint64_t index) override { replica_->read(ticket, index); }
  void end_round();
  void begin_life(std::uint64_t applied);
  caf::behavior serve();
  caf::behavior drain();
  replica_place place(recovered_shard&& found);
  void tick_after(std::chrono::milliseconds delay);
  std::uint32_t front_number(const caf::actor& front);

  class actor_link;

  const shard_environment* environment_;
  const shard_id id_;
  shard_figures* const figures_;
  std::mt19937_64 seeds_;
  std::vector<caf::actor> spare_entities_;  // actors without an entity; outlives the shard's links
  std::optional<shard> shard_;
  std::unique_ptr<shard_replica> replica_;
  std::vector<caf::actor> fronts_;
  std::size_t messages_in_round_ = 0;
  // For the next life too.
  bool storage_full_ = false;
  bool is_stopping_ = false;
};

}  // namespace troupe
