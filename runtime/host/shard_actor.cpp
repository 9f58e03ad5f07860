#include "runtime/host/shard_actor.hpp"

#include <algorithm>

#include "runtime/host/entity_actor.hpp"
#include "runtime/host/metronome.hpp"

namespace troupe {
namespace {
constexpr std::size_t spare_entities_max = 16;
constexpr std::size_t round_messages_max = 64;
}  // namespace

/// Binds an entity's actor to the entity with the first batch. Dropping it gives the actor back, for another
/// entity, or ends it.
class shard_actor::actor_link final : public entity_link {
 public:
  actor_link(caf::actor to, const kind_descriptor& kind, const entity_ref& ref,
             std::vector<caf::actor>& spare)
      : to_(std::move(to)), kind_(&kind), ref_(&ref), spare_(spare) {}
  ~actor_link() override {
    if (spare_.size() < spare_entities_max) spare_.push_back(std::move(to_));
  }
  void run(std::shared_ptr<run_batch> batch) override {
    batch->kind = std::exchange(kind_, nullptr);
    batch->ref = ref_;
    caf::anon_send(to_, std::move(batch));
  }

 private:
  caf::actor to_;                // with the spare ones the only reference: dropping it ends the actor
  const kind_descriptor* kind_;  // null once the actor knows what it is
  const entity_ref* ref_;        // the shard's, for as long as the entity is in memory
  std::vector<caf::actor>& spare_;
};

shard_actor::shard_actor(caf::actor_config& config, const shard_environment* environment, shard_id id,
                         recovered_shard found, shard_figures* figures, std::uint64_t seed)
    : caf::event_based_actor(config), environment_(environment), id_(id), figures_(figures), seeds_(seed) {
  begin_life(found.applied);
  replica_ = environment->make_replica(place(std::move(found)));
}

void shard_actor::begin_life(std::uint64_t applied) {
  shard_.emplace(id_, environment_->options, *environment_->kinds, *environment_->stored,
                 *environment_->clock, static_cast<shard_ports&>(*this), *figures_, seeds_(), applied);
  shard_->set_storage_full(storage_full_);
  if (is_stopping_) shard_->stop_accepting();
}

replica_place shard_actor::place(recovered_shard&& found) {
  replica_place out{id_, std::move(found), environment_->log, environment_->clock, &*shard_, {}, {}};
  out.post = [self = caf::actor_cast<caf::actor_addr>(this)](std::function<void()> run) {
    if (auto to = caf::actor_cast<caf::actor>(self))
      caf::anon_send(to, std::make_shared<std::function<void()>>(std::move(run)));
  };
  out.tick_after = [this](std::chrono::milliseconds delay) { tick_after(delay); };
  return out;
}

void shard_actor::on_exit() {
  replica_.reset();
  shard_.reset();
  spare_entities_.clear();
  fronts_.clear();
}

caf::behavior shard_actor::make_behavior() {
  harden(this);
  replica_->start();
  return serve();
}

caf::behavior shard_actor::serve() {
  return {
      [this](caf::ok_atom) {
        shard_->on_wake();
        end_round();
      },
      [this](command_batch_ptr& batch) {
        shard_->on_commands(front_number(batch->front), std::move(batch->commands));
        end_round();
      },
      [this](run_batch_ptr& batch) {
        shard_->on_batch_done(*batch);
        end_round();
      },
      [this](synced_notice notice) {
        replica_->on_synced(notice.number);
        end_round();
      },
      [this](applied_notice notice) {
        replica_->on_applied(notice.index);
        shard_->on_applied(notice.index);
        end_round();
      },
      [this](parcel_batch_ptr& parcels) {
        shard_->on_parcels(std::move(*parcels));
        end_round();
      },
      [this](acknowledgement_ptr& what) {
        shard_->on_acknowledged(what->by, what->ids);
        end_round();
      },
      [this](wake_notice) {
        shard_->on_wake();
        end_round();
      },
      [this](tick_notice) {
        replica_->on_tick();
        end_round();
      },
      [this](posted_call& call) {
        (*call)();
        end_round();
      },
      [this](storage_notice notice) {
        storage_full_ = notice.is_full;
        shard_->set_storage_full(notice.is_full);
        replica_->on_storage_full(notice.is_full);
        end_round();
      },
      [this](quiet_question question) -> bool {
        is_stopping_ = is_stopping_ || question.stop;
        if (question.stop) shard_->stop_accepting();
        shard_->finish_round();
        return shard_->is_quiet();
      },
  };
}

caf::behavior shard_actor::drain() {
  return {[this](run_batch_ptr& batch) {
    shard_->on_batch_done(*batch);
    shard_->finish_round();
    if (!shard_->has_ended()) return;
    begin_life(shard_->applied());
    harden(this);
    become(serve());
  }};
}

/// What many messages led to is appended and sent at once: an entity answers with a message of its own.
void shard_actor::end_round() {
  if (shard_->is_deposed()) {
    shard_->finish_round();
    if (shard_->has_ended()) {
      begin_life(shard_->applied());
    } else {
      // Only what entities are at work on; everything else stays in the mailbox until the next life.
      set_default_handler(caf::skip);
      become(drain());
    }
    return;
  }
  if (!mailbox().empty() && ++messages_in_round_ < round_messages_max) return;
  messages_in_round_ = 0;
  shard_->finish_round();
}

std::unique_ptr<entity_link> shard_actor::activate(const kind_descriptor& kind, const entity_ref& entity) {
  caf::actor to;
  if (spare_entities_.empty()) {
    to = spawn<entity_actor, caf::hidden + caf::lazy_init>(environment_->stored, id_,
                                                           caf::actor_cast<caf::actor>(this));
  } else {
    to = std::move(spare_entities_.back());
    spare_entities_.pop_back();
  }
  return std::make_unique<actor_link>(std::move(to), kind, entity, spare_entities_);
}

void shard_actor::send_replies(std::uint32_t front, std::vector<ticketed_reply>&& replies) {
  auto batch = std::make_shared<reply_batch>();
  batch->replies = std::move(replies);
  caf::anon_send(fronts_[front], std::move(batch));
}

void shard_actor::send_parcels(shard_id to, parcel_batch&& parcels) {
  if (environment_->routes != nullptr && !environment_->routes->is_here(to))
    return environment_->routes->send_parcels(to, parcels);
  caf::anon_send(environment_->shards[to], std::make_shared<parcel_batch>(std::move(parcels)));
}

void shard_actor::send_acknowledgements(shard_id to, std::vector<send_id>&& ids) {
  if (environment_->routes != nullptr && !environment_->routes->is_here(to))
    return environment_->routes->send_acknowledgements(to, id_, ids);
  caf::anon_send(environment_->shards[to],
                 std::make_shared<acknowledgement>(acknowledgement{id_, std::move(ids)}));
}

void shard_actor::wake_after(std::chrono::milliseconds delay) {
  if (environment_->metronome != nullptr) {
    environment_->metronome->wake_at(id_, std::chrono::steady_clock::now() + delay);
  } else {
    delayed_send(this, delay, wake_notice{});
  }
}

void shard_actor::tick_after(std::chrono::milliseconds delay) {
  if (environment_->metronome != nullptr) {
    // All shards at the same moments, so that what they say to other nodes travels together.
    using std::chrono::steady_clock;
    const auto now = steady_clock::now().time_since_epoch();
    const steady_clock::duration step = std::max(delay, std::chrono::milliseconds{1});
    auto at = (now + step) / step * step;
    if (at - now < step / 2) at += step;
    environment_->metronome->wake_at(environment_->shards.size() + id_, steady_clock::time_point{at});
  } else {
    delayed_send(this, delay, tick_notice{});
  }
}

/// Fronts are few and stay for the life of the process, so a number each and a linear search do.
std::uint32_t shard_actor::front_number(const caf::actor& front) {
  const auto it = std::find(fronts_.begin(), fronts_.end(), front);
  if (it != fronts_.end()) return static_cast<std::uint32_t>(it - fronts_.begin());
  fronts_.push_back(front);
  return static_cast<std::uint32_t>(fronts_.size() - 1);
}

}  // namespace troupe
