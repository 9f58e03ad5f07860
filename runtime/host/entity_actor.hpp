#pragma once

#include <optional>

#include "runtime/entity/activation.hpp"
#include "runtime/host/envelopes.hpp"
#include "runtime/store/store.hpp"

namespace troupe {

/// One durable actor in memory. Runs the batches that its shard hands it, one at a time, and gives each back
/// to the shard. The first batch says which entity it is, and makes it read the state, so that reading
/// happens on this actor's time and not on its shard's. When the entity has left memory the actor may become
/// another one: to start and end a CAF actor costs more than most commands.
class entity_actor final : public caf::event_based_actor {
 public:
  entity_actor(caf::actor_config& config, const store* stored, shard_id shard, caf::actor home);
  caf::behavior make_behavior() override;
  const char* name() const override { return "entity"; }

 private:
  void run(run_batch& batch);

  const kind_descriptor* kind_ = nullptr;
  entity_ref ref_;
  const store* store_;
  shard_id shard_;
  caf::actor home_;
  std::optional<activation> activation_;
};

/// Fills in what a message to an entity came to: the reply, and the log entry when something changed. Apart
/// from the actor so that it can be run and measured alone.
void run_work(activation& entity, const entity_ref& ref, const call& in, std::uint64_t batch, work& item);

}  // namespace troupe
