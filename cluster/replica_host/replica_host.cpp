#include "cluster/replica_host/replica_host.hpp"

#include "cluster/replica_host/replica_record.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/base/log.hpp"

namespace troupe {

using namespace replication;

namespace {

/// A hand-over is long over by then; an election that waits for copies may take minutes, and then fronts keep
/// what they are asked.
constexpr std::chrono::milliseconds hold_max{500};
constexpr const char* quarantine_advice =
    "it is left as it is and takes part in nothing. Find out why before anything is removed: this may be the copy that "
    "is right. When it is not, move its data directory away to get a fresh one";

moment now_of(const clock_source& clock) {
  return std::chrono::duration_cast<moment>(clock.steady().time_since_epoch());
}

/// The first entry that backups can be given.
std::uint64_t log_start(const recovered_shard& found, shard_id shard, const shard_history* history) {
  const auto kept = history != nullptr ? history->first_kept(shard) : 0;
  return kept != 0 ? std::min(kept, found.applied + 1) : found.applied + 1;
}

durable_state state_of(const recovered_shard& found, std::uint64_t start, incarnation disk_since) {
  durable_state state;
  state.disk_since = disk_since;
  if (!found.meta.empty()) {
    const auto meta = decode_replica_record(found.meta);
    TROUPE_ASSERT(meta, "a replica's record that was looked at does not decode");
    state.meta = *meta;
  }
  state.log = log_shape{start, found.last, found.history};
  state.applied = found.applied;
  state.committed = std::max(found.applied, found.committed);
  return state;
}

/// The first entry of an epoch: the protocol does not know how entries look.
shared_bytes barrier_chunk(shard_id shard, const chunk& entries) {
  chunk_writer writer{shard};
  writer.begin(entries.first, entries.epoch, entries.previous_epoch);
  std::string entry;
  encode_barrier(entry);
  writer.add(entry);
  return std::make_shared<const std::string>(writer.take());
}

}  // namespace

std::string refuse_replica(const recovered_shard& found) {
  if (!found.meta.empty() && !decode_replica_record(found.meta))
    return "its replica's record does not decode";
  return {};
}

std::optional<store_error> refuse_replicas(const std::vector<recovered_shard>& found) {
  for (std::size_t shard = 0; shard < found.size(); ++shard)
    if (const auto why = refuse_replica(found[shard]); !why.empty())
      return store_error{store_error::code::corrupt,
                         "shard " + std::to_string(shard) + ": " + why + "; its data is left as it is"};
  return std::nullopt;
}

replica_host::replica_host(replica_place place, const replica_environment& environment)
    : place_(std::move(place)),
      environment_(environment),
      applied_(place_.found.applied),
      compacted_(log_start(place_.found, place_.shard, environment.history)),
      core_(place_.shard, environment.self, environment.options,
            state_of(place_.found, compacted_, environment.disk_since), now_of(*place_.clock)) {}

void replica_host::start() {
  if (core_.role() == replica_role::quarantined)
    spdlog::error("shard {}: this copy was set aside by an earlier run: {}", place_.shard, quarantine_advice);
  // The protocol asks when its interval is over, which a clock that has just begun has not reached.
  carry_out(read_authority{});
  on_tick();
}

void replica_host::propose(proposal&& entries) {
  awaited_ = entries.awaited;
  step(replication::propose{{entries.first_index, entries.last_index, entries.epoch, entries.previous_epoch,
                             std::make_shared<const std::string>(std::move(entries.chunk))}});
  awaited_ = 0;
}

void replica_host::read(std::uint64_t ticket, std::uint64_t index) { step(replication::read{ticket, index}); }

void replica_host::on_synced(std::uint64_t number) {
  synced_ = number;
  send_what_waited();
  step(disk_done{number});
}

void replica_host::on_applied(std::uint64_t index) {
  applied_ = std::max(applied_, index);
  follow_log_start();
}

/// The rows take the place of the entries that they show, once these are gone: who was away a short time gets
/// entries, and not a snapshot, as long as they are there. The log is dropped for all shards together, so it
/// is looked at with every tick too.
void replica_host::follow_log_start() {
  auto start = applied_ + 1;
  if (environment_.history != nullptr) {
    environment_.history->keep_from(place_.shard, core_.needed_from());
    const auto kept = environment_.history->first_kept(place_.shard);
    if (kept != 0) start = std::min(start, kept);
  }
  if (start <= compacted_) return;
  compacted_ = start;
  step(compacted{start});
}

void replica_host::on_tick() {
  step(tick{});
  if (environment_.peers != nullptr) follow_log_start();
  forget_old_snapshots();
  report_refusals();
  tick_soon();
}

/// Again within a beat where there is somebody to be heard of, or to hear from.
void replica_host::tick_soon() {
  const auto& o = environment_.options;
  const bool is_alone = environment_.peers == nullptr && core_.is_serving();
  const auto pause = core_.is_in_haste() ? o.haste / 4 : is_alone ? o.config_interval : o.beat / 2;
  place_.tick_after(std::chrono::ceil<std::chrono::milliseconds>(pause));
}

void replica_host::on_storage_full(bool is_full) { step(storage_full{is_full}); }

/// What comes of an action is an event of its own, later: no step begins inside another.
void replica_host::step(const event& what) {
  auto actions = std::move(actions_);
  core_.step(now_of(*place_.clock), what, actions);
  for (const auto& one : actions) std::visit([this](const auto& a) { carry_out(a); }, one);
  actions.clear();
  actions_ = std::move(actions);
  publish();
}

/// With the first step as the primary its first entry is on its way to the other copies, and fronts may have
/// heard who it is. What was committed before is made rows meanwhile, which the shard would otherwise wait
/// for afterwards.
void replica_host::follow_role() {
  const bool is_primary = core_.role() == replica_role::primary;
  const bool is_new = !progress_.is_primary.exchange(is_primary, std::memory_order_relaxed) && is_primary;
  const auto now = now_of(*place_.clock);
  if (is_new) {
    elected_at_ = now;
    if (core_.commit() > applied_) place_.log->commit(place_.shard, core_.commit(), true);
  }
  const bool holds = is_primary && !is_serving_ && now - elected_at_ < hold_max;
  if (std::exchange(is_holding_, holds) != holds && !is_serving_) place_.listener->on_holding(holds);
}

void replica_host::publish() {
  constexpr auto relaxed = std::memory_order_relaxed;
  follow_role();
  progress_.is_serving.store(is_serving_, relaxed);
  const bool waits = core_.is_waiting_for_copies();
  if (waits && !progress_.is_waiting_for_copies.load(relaxed))
    spdlog::warn(
        "shard {}: nobody serves it: no copy is known to have everything, and not every node that may have "
        "it has answered ({})",
        place_.shard, core_.describe());
  progress_.is_waiting_for_copies.store(waits, relaxed);
  progress_.is_quarantined.store(core_.role() == replica_role::quarantined, relaxed);
  const bool is_stuck = core_.is_disk_stuck();
  if (is_stuck && !progress_.is_disk_stuck.load(relaxed))
    spdlog::warn("shard {}: the disk does not answer ({})", place_.shard, core_.describe());
  progress_.is_disk_stuck.store(is_stuck, relaxed);
  progress_.last.store(core_.log().last(), relaxed);
  progress_.committed.store(core_.commit(), relaxed);
  progress_.applied.store(applied_, relaxed);
  progress_.refused.store(refusals(), relaxed);
}

void replica_host::carry_out(const write_entries& a) {
  log_write out{place_.shard, log_write::kind::entries, a.number, a.entries.first, a.entries.last, {},
                awaited_};
  // Everything waits for the barrier.
  if (!a.entries.bytes) out.awaited = 1;
  out.bytes = a.entries.bytes ? a.entries.bytes : barrier_chunk(place_.shard, a.entries);
  write(std::move(out));
}

void replica_host::write(log_write&& what) {
  written_ = what.number;
  place_.log->write(std::move(what));
}

void replica_host::carry_out(const truncate_log& a) {
  give_way();
  write({place_.shard, log_write::kind::truncation, a.number, a.last + 1, 0, {}, 1});
}

void replica_host::carry_out(const write_meta& a) {
  auto bytes = std::make_shared<const std::string>(encode_replica_record(a.meta));
  write({place_.shard, log_write::kind::meta, a.number, 0, 0, std::move(bytes), 1});
}

void replica_host::carry_out(const compare_and_set& a) {
  environment_.decides->cas(place_.shard, a.expected_revision, a.proposed,
                            [this, post = place_.post, nonce = a.proposed.written_by](cas_result result) {
                              post([this, nonce, result] { step(cas_done{nonce, result}); });
                            });
}

void replica_host::carry_out(const read_authority&) {
  environment_.reader->read(place_.shard, [this, post = place_.post](const stored_config& now) {
    post([this, now] { step(config_read{now}); });
  });
}

void replica_host::carry_out(const committed& a) {
  place_.log->commit(place_.shard, a.index, false);
  place_.listener->on_committed(a.index);
}

void replica_host::carry_out(const serve& a) {
  is_serving_ = true;
  if (environment_.peers != nullptr)
    spdlog::info("shard {}: primary in epoch {}, from entry {}", place_.shard, a.epoch, a.barrier);
  // The shard waits for the rows of everything that was committed before.
  place_.log->commit(place_.shard, a.barrier, true);
  place_.listener->on_serve(a.epoch, a.barrier);
}
void replica_host::carry_out(const stop_serving&) {
  is_serving_ = false;
  if (environment_.peers != nullptr) spdlog::info("shard {}: primary no longer", place_.shard);
  waiting_.clear();
  place_.listener->on_stop_serving();
}
void replica_host::carry_out(const set_accepting& a) {
  if (!a.accepts) spdlog::info("shard {}: handing over", place_.shard);
  place_.listener->on_accepting(a.accepts);
  // The next step proposes the transfer, behind what the shard has begun; nobody is served until it comes.
  if (!a.accepts) place_.post([this] { step(tick{}); });
}
void replica_host::carry_out(const reads_released& a) { place_.listener->on_reads_released(a.ticket); }

void replica_host::carry_out(const quarantined& a) {
  const auto* why = a.is_fork ? "another primary of the epoch that these entries are of has spoken: the "
                                "authority was set back"
                              : "it would have to cut what is committed";
  spdlog::error("shard {}: {} (entries behind {}, committed up to {}); {}", place_.shard, why, a.cut,
                a.commit, quarantine_advice);
}

std::uint64_t replica_host::refusals() const {
  const auto& f = core_.figures();
  return f.impossible_configs + f.bad_messages + damaged_;
}

/// With the next tick, and then each time there are ten times as many: what is wrong stays wrong for long.
void replica_host::report_refusals() {
  const auto count = refusals();
  if (count < next_report_) return;
  next_report_ = count * 10;
  spdlog::warn("shard {}: {} words of the authority or of other replicas refused so far, nothing changed: {}",
               place_.shard, count, core_.describe());
}

}  // namespace troupe
