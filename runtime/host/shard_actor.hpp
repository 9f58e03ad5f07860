#pragma once

#include <optional>
#include <vector>

#include "runtime/host/envelopes.hpp"
#include "runtime/host/shard.hpp"

namespace troupe {

/// What all shards of a node share. Outlives the actors.
struct shard_environment {
  shard_options options;
  const kind_registry* kinds = nullptr;
  const store* stored = nullptr;
  shard_log* log = nullptr;
  const clock_source* clock = nullptr;
  /// Wakes shards when they ask; without one (in tests) CAF's clock does.
  class metronome* metronome = nullptr;
  /// By shard id. Filled before the first message is sent, constant afterwards.
  std::vector<caf::actor> shards;
};

/// The CAF shell around one shard: takes envelopes, calls the shard, and is its way to the world.
class shard_actor final : public caf::event_based_actor, private shard_ports {
 public:
  shard_actor(caf::actor_config& config, const shard_environment* environment, shard_id id, log_end end,
              shard_figures* figures, std::uint64_t seed);
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
  std::uint32_t front_number(const caf::actor& front);

  class actor_link;

  const shard_environment* environment_;
  const shard_id id_;
  const log_end end_;
  std::vector<caf::actor> spare_entities_;  // actors without an entity; outlives the shard's links
  std::optional<shard> shard_;
  std::vector<caf::actor> fronts_;
};

}  // namespace troupe
