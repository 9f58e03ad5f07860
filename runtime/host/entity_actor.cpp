#include "runtime/host/entity_actor.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace troupe {
namespace {

// mimalloc's size classes here are 1,024, 1,280 and 1,536 bytes; an idle entity is this and some 650 bytes
// more.
static_assert(sizeof(caf::actor_storage<entity_actor>) <= 1280,
              "an entity's actor takes the next size class");

reply_status status_of(outcome::status what) {
  switch (what) {
    case outcome::status::ok:
      return reply_status::ok;
    case outcome::status::rejected:
      return reply_status::rejected;
    case outcome::status::malformed:
      return reply_status::malformed;
    case outcome::status::failed:
      return reply_status::failed;
    case outcome::status::version_mismatch:
      return reply_status::version_mismatch;
  }
  return reply_status::failed;
}

/// A message from an outbox or a timer is done when it has run, whatever came of it, and that must be on
/// record; a client's command leaves an entry when it changed something, or when it has a name: a repetition
/// must get this answer, and not run when there is something to change.
bool needs_entry(const work& item, const outcome& out) {
  if (item.cause != entry_cause::command) return true;
  const bool leaves_trace = !out.changes.empty() || !item.name.is_nil();
  return !item.is_query && out.what == outcome::status::ok && leaves_trace;
}

}  // namespace

void run_work(activation& entity, const entity_ref& ref, const call& in, std::uint64_t batch, work& item) {
  auto out = entity.execute(in, item.message, item.body, batch, item.expect_version);
  if (needs_entry(item, out)) {
    entry_head head;
    head.cause = item.cause;
    head.at = in.now;
    head.kind = ref.kind;
    head.key = ref.key;
    head.message = item.message;
    if (!item.name.is_nil()) head.command_id = item.name.view();
    head.fingerprint = item.fingerprint;
    head.version = out.version;
    head.reply = out.reply;
    head.source = item.source;
    head.sent = item.sent;
    head.fired = item.fired;
    encode_entry(item.entry, head, out.changes);
  }
  TROUPE_ASSERT(!item.is_query || out.changes.empty(), "a query changed something");
  item.sends = std::move(out.changes.sends);
  item.timers_set = std::move(out.changes.timers_set);
  item.timers_cancelled = std::move(out.changes.timers_cancelled);
  item.answer = {status_of(out.what), std::move(out.reply), out.version, false};
}

entity_actor::entity_actor(caf::actor_config& config, const store* stored, shard_id shard, caf::actor home)
    : caf::event_based_actor(config), store_(stored), shard_(shard), home_(std::move(home)) {}

caf::behavior entity_actor::make_behavior() {
  harden(this);
  return {[this](run_batch_ptr& batch) {
    run(*batch);
    anon_send(home_, std::move(batch));
  }};
}

void entity_actor::run(run_batch& batch) {
  if (batch.kind != nullptr) {
    kind_ = batch.kind;
    ref_ = *batch.ref;
    activation_.reset();
  }
  if (batch.items.empty() && !activation_) return;
  if (!activation_) activation_.emplace(*kind_, ref_.key, store_->rows_of(shard_, ref_));
  activation_->forget(batch.applied_number);
  id_source seeds{batch.in.id_seed};
  std::vector<timer_id> cancelled;
  for (auto& item : batch.items) {
    if (item.cause == entry_cause::timer &&
        std::find(cancelled.begin(), cancelled.end(), item.fired) != cancelled.end()) {
      item.was_stopped = true;
      continue;
    }
    run_work(*activation_, ref_, {batch.in.now, seeds.next()}, batch.number, item);
    cancelled.insert(cancelled.end(), item.timers_cancelled.begin(), item.timers_cancelled.end());
  }
}

}  // namespace troupe
