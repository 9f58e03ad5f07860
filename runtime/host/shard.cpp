#include "runtime/host/shard.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/entity/table.hpp"
#include "runtime/store/reply_record.hpp"

namespace troupe {

using std::chrono::steady_clock;

namespace {

timer_queue::loader stored_timers(const store& from, shard_id id) {
  return [&from, id](timestamp first, timestamp last, const std::function<bool(stored_timer &&)>& visit) {
    const auto section = keys::section(id, row_section::timers);
    auto lower = section;
    byte_writer{lower}.u64_be(static_cast<std::uint64_t>(first.ms));
    auto upper = section;
    byte_writer{upper}.u64_be(static_cast<std::uint64_t>(last.ms));
    from.scan_rows(lower, upper, scan_order::ascending, [&](std::string_view key, std::string_view value) {
      stored_timer timer;
      TROUPE_ASSERT(decode_timer_row(key.substr(section.size()), value, timer),
                    "stored timer does not decode");
      return visit(std::move(timer));
    });
  };
}

send_id read_send_id(std::string_view bytes) {
  byte_reader in{bytes};
  send_id id;
  id.index = in.u64_be();
  id.position = in.u16_be();
  TROUPE_ASSERT(in.ok() && in.at_end(), "stored message id does not decode");
  return id;
}

outbox::loader stored_outbox(const store& from, shard_id id) {
  return [&from, id](shard_id to, send_id first, const std::function<bool(parcel &&)>& visit) {
    const auto channel = keys::channel(id, row_section::outbox, to);
    from.scan_rows(keys::message(id, row_section::outbox, to, first), prefix_end(channel),
                   scan_order::ascending, [&](std::string_view key, std::string_view value) {
                     parcel what;
                     what.id = read_send_id(key.substr(channel.size()));
                     TROUPE_ASSERT(decode_outbox_row(value, what.message),
                                   "stored outbox row does not decode");
                     return visit(std::move(what));
                   });
  };
}

}  // namespace

shard::shard(shard_id id, const shard_options& options, const kind_registry& kinds, const store& stored,
             const clock_source& clock, shard_ports& ports, shard_figures& figures, std::uint64_t seed,
             std::uint64_t applied)
    : id_(id),
      options_(options),
      kinds_(kinds),
      store_(stored),
      clock_(clock),
      ports_(ports),
      figures_(figures),
      random_(seed),
      timers_(stored_timers(stored, id)),
      outbox_(stored_outbox(stored, id)),
      chunk_(id),
      applied_(applied) {}

/// From the moment that the authority names it, since fronts may have heard of that before this node has
/// committed anything.
void shard::on_holding(bool holds) {
  is_holding_ = holds && !is_deposed_;
  if (!holds && !may_hold()) refuse_early();
}

void shard::on_serve(std::uint64_t epoch, std::uint64_t barrier) {
  epoch_ = epoch;
  barrier_ = barrier;
  is_holding_ = false;
  start_when_ready();
}

/// Entities are read from the rows, so these must have everything that was committed before the barrier,
/// which itself changes nothing.
void shard::start_when_ready() {
  if (is_serving_ || epoch_ == 0 || applied_ + 1 < barrier_) return;
  is_serving_ = true;
  last_index_ = committed_ = applied_ = read_index_ = barrier_;
  stamped_ = store_.stamp(id_);
  stamped_at_ = clock_.steady();
  chunk_.begin(last_index_ + 1, epoch_, epoch_);
  figures_.last_index.store(last_index_, std::memory_order_relaxed);
  figures_.committed.store(committed_, std::memory_order_relaxed);
  figures_.applied.store(applied_, std::memory_order_relaxed);
  take_up_stored_work();
  take_early();
}

/// What came before it served, or while its role was being handed over.
void shard::take_early() {
  for (auto& parcels : std::exchange(early_parcels_, {})) on_parcels(std::move(parcels));
  const auto now = clock_.steady();
  for (auto& [front, command] : std::exchange(early_commands_, {})) {
    queued_bytes_ -= command.what.body.size();
    accept(front, std::move(command), now);
  }
  run_ready();
}

/// Whether it may soon be the primary, or go on being it.
bool shard::may_hold() const { return !is_deposed_ && (options_.is_only_replica || epoch_ != 0); }

void shard::take_up_stored_work() {
  // Who is written to: one look at each destination that has rows, not at every row.
  std::vector<shard_id> destinations;
  const auto outbox_section = keys::section(id_, row_section::outbox);
  const auto outbox_end = prefix_end(outbox_section);
  for (auto from = outbox_section; !from.empty();) {
    std::optional<shard_id> found;
    store_.scan_rows(from, outbox_end, scan_order::ascending, [&](std::string_view key, std::string_view) {
      found = byte_reader{key.substr(outbox_section.size())}.u16_be();
      return false;
    });
    if (!found) break;
    destinations.push_back(*found);
    from = prefix_end(keys::channel(id_, row_section::outbox, *found));
  }
  outbox_.restore(destinations);
  outbox_changed_ = !destinations.empty();
  const auto received = keys::section(id_, row_section::received);
  store_.scan_rows(received, prefix_end(received), scan_order::ascending,
                   [&](std::string_view key, std::string_view) {
                     byte_reader in{key.substr(received.size())};
                     const shard_id source = in.u16_be();
                     receipts_.restore(source, read_send_id(in.rest()));
                     return true;
                   });
  const auto settled = keys::section(id_, row_section::settled);
  store_.scan_rows(settled, prefix_end(settled), scan_order::ascending,
                   [&](std::string_view key, std::string_view value) {
                     const auto below = decode_settled_row(value);
                     TROUPE_ASSERT(below, "a row of what is settled does not decode");
                     receipts_.restore_settled(byte_reader{key.substr(settled.size())}.u16_be(), *below);
                     return true;
                   });
  fire_timers();
}

bool shard::is_quiet() const {
  return queued_ == 0 && running_ == 0 && gated_replies_.empty() && gated_effects_.empty() &&
         pending_reads_.empty() && early_commands_.empty() && (!is_serving_ || applied_ == last_index_);
}

void shard::on_commands(std::uint32_t front, std::vector<ticketed_command>&& commands) {
  const auto now = clock_.steady();
  for (auto& command : commands) {
    if (is_serving_ && is_accepting_) {
      accept(front, std::move(command), now);
    } else {
      hold(front, std::move(command));
    }
  }
  run_ready();
}

/// Until it serves, or accepts again. Before it serves, fronts keep what is too much.
void shard::hold(std::uint32_t front, ticketed_command&& command) {
  const bool has_room = early_commands_.size() < options_.queued_max && has_room_for(command.what);
  if (has_room && (may_hold() || (is_holding_ && !is_stopping_))) {
    queued_bytes_ += command.what.body.size();
    early_commands_.emplace_back(front, std::move(command));
    return;
  }
  const auto why = may_hold() ? reply_status::overloaded : reply_status::not_primary;
  send({front, command.ticket}, {why, {}, 0, false});
}

/// Another primary may take them.
void shard::refuse_early() {
  for (const auto& [front, command] : std::exchange(early_commands_, {})) {
    queued_bytes_ -= command.what.body.size();
    send({front, command.ticket}, {reply_status::not_primary, {}, 0, false});
  }
}

bool shard::has_room_for(const command& what) const {
  return queued_ < options_.queued_max && queued_bytes_ + what.body.size() <= options_.queued_bytes_max;
}

void shard::accept(std::uint32_t front, ticketed_command&& in, steady_clock::time_point now) {
  auto& what = in.what;
  const reply_address to{front, in.ticket};
  const auto refuse = [&](reply_status why) { send(to, {why, {}, 0, false}); };
  (what.is_query ? figures_.queries : figures_.commands).fetch_add(1, std::memory_order_relaxed);

  const auto* kind = kinds_.find(what.target.kind);
  const auto* message = kind != nullptr ? kind->find(what.message) : nullptr;
  const bool key_fits = !what.target.key.empty() && what.target.key.size() <= entity_key_bytes_max;
  if (message == nullptr || message->is_query != what.is_query || !key_fits)
    return refuse(reply_status::malformed);
  if (is_stopping_) return refuse(reply_status::stopping);
  const bool is_named = !what.id.is_nil() && !what.is_query;
  if (is_named && answer_known(to, what)) return;
  if (what.deadline <= now) return refuse(reply_status::deadline_passed);
  if (storage_full_ && !what.is_query) return refuse(reply_status::storage_full);

  auto* r = has_room_for(what) ? &resident_of(*kind, what.target) : nullptr;
  if (r == nullptr || r->queue.size() >= kind->options.queue_max) {
    figures_.overloaded.fetch_add(1, std::memory_order_relaxed);
    return refuse(reply_status::overloaded);
  }
  if (is_named) named_.begin(what.id, what.fingerprint);
  work item;
  item.from = to;
  item.message = what.message;
  item.is_query = what.is_query;
  item.body = std::move(what.body);
  queued_bytes_ += item.body.size();
  if (is_named) item.name = what.id;
  item.fingerprint = what.fingerprint;
  item.expect_version = what.expect_version;
  item.deadline = what.deadline;
  enqueue(*r, std::move(item));
}

/// Answers a command whose id is known: the stored reply, or a refusal when the request is another one.
bool shard::answer_known(const reply_address& to, const command& what) {
  if (auto* known = named_.find(what.id)) {
    if (known->fingerprint != what.fingerprint) {
      answer_read(to, {reply_status::key_reused, {}, 0, false}, last_index_);
    } else if (known->is_logged && known->index > committed_ &&
               gated_replies_.size() + pending_reads_.size() >= options_.gated_replies_max) {
      send(to, {reply_status::in_progress, {}, 0, false});
    } else if (known->is_logged) {
      auto again = known->answer;
      again.replayed = true;
      answer_entry(to, std::move(again), known->index);
    } else if (known->waiting.size() < named_commands::waiting_max) {
      known->waiting.push_back(to);
    } else {
      send(to, {reply_status::in_progress, {}, 0, false});
    }
    figures_.replays.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  const auto stored = store_.get_reply(id_, what.id.view());
  if (!stored) return false;
  reply_record record;
  TROUPE_ASSERT(record.decode_from(*stored), "stored reply does not decode");
  if (record.fingerprint != what.fingerprint) {
    send(to, {reply_status::key_reused, {}, 0, false});
  } else {
    // True for ever, whoever is the primary now.
    send(to, {reply_status::ok, std::string{record.reply}, record.version, true});
  }
  figures_.replays.fetch_add(1, std::memory_order_relaxed);
  return true;
}

resident& shard::resident_of(const kind_descriptor& kind, const entity_ref& ref) {
  auto it = residents_.find(ref);
  if (it == residents_.end()) {
    make_room();
    it = residents_.try_emplace(ref).first;
    auto& fresh = it->second;
    fresh.ref = &it->first;
    fresh.kind = &kind;
    fresh.link = ports_.activate(kind, it->first);
    fresh.by_use = by_use_.insert(by_use_.end(), &fresh);
    figures_.activations.fetch_add(1, std::memory_order_relaxed);
    figures_.residents.store(residents_.size(), std::memory_order_relaxed);
  }
  auto& r = it->second;
  by_use_.splice(by_use_.end(), by_use_, r.by_use);
  r.used_at = clock_.steady();
  return r;
}

void shard::enqueue(resident& to, work&& item) {
  to.queue.push(std::move(item));
  ++queued_;
  make_ready(to);
}

void shard::make_ready(resident& r) {
  if (r.is_ready || r.is_running || r.queue.empty()) return;
  r.is_ready = true;
  ready_.push_back(&r);
}

bool shard::window_is_open() const {
  return is_accepting_ && last_index_ - committed_ + running_ < options_.uncommitted_entries_max &&
         uncommitted_bytes_ < options_.uncommitted_bytes_max &&
         last_index_ - applied_ < options_.unapplied_entries_max &&
         unapplied_bytes_ < options_.unapplied_bytes_max &&
         gated_replies_.size() + pending_reads_.size() < options_.gated_replies_max;
}

void shard::run_ready() {
  while (!ready_.empty() && window_is_open()) {
    auto& r = *ready_.front();
    ready_.pop_front();
    r.is_ready = false;
    const auto room = options_.uncommitted_entries_max - (last_index_ - committed_) - running_;
    auto items = take_runnable(r, std::min(options_.batch_max, room));
    if (items.empty()) {
      make_ready(r);
      continue;
    }
    auto batch = std::make_shared<run_batch>();
    batch->owner = &r;
    batch->number = ++r.batches;
    batch->applied_number = r.told_applied_batch = r.applied_batch;
    batch->in = {now(), random_()};
    batch->items = std::move(items);
    running_ += batch->items.size();
    ++running_batches_;
    r.is_running = true;
    r.link->run(std::move(batch));
  }
  figures_.queued.store(queued_, std::memory_order_relaxed);
}

/// Takes from the queue what may still start; what is past its deadline is answered, not run.
std::vector<work> shard::take_runnable(resident& r, std::size_t count) {
  auto items = r.queue.take(count);
  queued_ -= items.size();
  for (const auto& item : items)
    if (item.cause == entry_cause::command) queued_bytes_ -= item.body.size();
  const auto now = clock_.steady();
  std::erase_if(items, [&](const work& item) {
    if (item.cause != entry_cause::command || item.deadline > now) return false;
    if (!item.name.is_nil()) {
      for (const auto& waiting : named_.ended(item.name)) {
        send(waiting, {reply_status::deadline_passed, {}, 0, false});
      }
    }
    send(item.from, {reply_status::deadline_passed, {}, 0, false});
    return true;
  });
  return items;
}

void shard::on_batch_done(run_batch& batch) {
  auto& r = *batch.owner;
  running_ -= batch.items.size();
  --running_batches_;
  if (is_deposed_) return refuse_as_deposed(batch.items);
  r.is_running = false;
  if (!batch.items.empty()) r.used_at = clock_.steady();
  const auto before = last_index_;
  for (auto& item : batch.items) finish(r, item);
  if (last_index_ > before) unapplied_batches_.emplace_back(last_index_, std::pair{&r, batch.number});
  make_ready(r);
  run_ready();
}

void shard::on_parcels(parcel_batch&& parcels) {
  if (!is_serving_ || !is_accepting_) {  // no more than the senders' windows; they repeat what is dropped
    if (may_hold()) early_parcels_.push_back(std::move(parcels));
    return;
  }
  receipts_.settle(parcels.source, parcels.settled_below);
  for (auto& one : parcels.parcels) {
    const auto* kind = kinds_.find(one.message.target.kind);
    if (kind == nullptr) {  // of a newer process: kept by its sender until this one is as new
      figures_.parcels_unknown.fetch_add(1, std::memory_order_relaxed);
      continue;
    }
    if (!receipts_.begin(parcels.source, one.id)) {
      if (receipts_.is_done(parcels.source, one.id)) outgoing_acks_[parcels.source].push_back(one.id);
      continue;
    }
    work item;
    item.cause = entry_cause::delivery;
    item.source = parcels.source;
    item.sent = one.id;
    item.message = one.message.message;
    item.body = std::move(one.message.body);
    enqueue(resident_of(*kind, one.message.target), std::move(item));
    figures_.parcels_received.fetch_add(1, std::memory_order_relaxed);
  }
  run_ready();
}

}  // namespace troupe
