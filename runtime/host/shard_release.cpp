#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/host/shard.hpp"

/// The second half of a shard: what ran becomes log entries, and leaves when they are committed.
namespace troupe {

void shard::finish(resident& r, work& item) {
  if (item.entry.empty()) {
    // A query, a refusal, or a command that changed nothing: it depends on what its entity had done before.
    if (item.was_stopped) return;
    if (!item.name.is_nil()) {
      for (const auto& waiting : named_.ended(item.name))
        answer_read(waiting, reply{item.answer}, r.last_index);
    }
    if (item.answer.status == reply_status::rejected)
      figures_.rejections.fetch_add(1, std::memory_order_relaxed);
    if (item.answer.status == reply_status::failed) figures_.failures.fetch_add(1, std::memory_order_relaxed);
    answer_read(item.from, std::move(item.answer), r.last_index);
    return;
  }
  log_entry(r, item);
}

void shard::log_entry(resident& r, work& item) {
  const auto index = append(item.entry);
  r.last_index = index;
  record_timers(r, item, index);
  gated_effects gated{
      index, std::move(item.sends), item.source, item.sent, item.cause == entry_cause::delivery, {}};
  if (gated.acks || !gated.sends.empty()) gated_effects_.push_back(std::move(gated));
  if (item.cause != entry_cause::command) return;
  ++awaited_;
  if (!item.name.is_nil()) {
    for (const auto& waiting : named_.logged(item.name, index, item.answer)) {
      auto again = item.answer;
      again.replayed = true;
      answer_entry(waiting, std::move(again), index);
    }
  }
  answer_entry(item.from, std::move(item.answer), index);
}

void shard::record_timers(resident& r, work& item, std::uint64_t index) {
  if (item.cause == entry_cause::timer) {
    timers_.fired(index, *r.ref, item.fired);
    figures_.timers_fired.fetch_add(1, std::memory_order_relaxed);
  }
  for (auto& timer : item.timers_set) timers_.set(index, *r.ref, std::move(timer));
  for (const auto& id : item.timers_cancelled) {
    if (!timers_.cancel(index, *r.ref, id)) continue;
    // It is due and waits in the entity's queue (one that runs in this batch stopped by itself).
    if (r.queue.remove([&](const work& w) { return w.cause == entry_cause::timer && w.fired == id; }))
      --queued_;
  }
}

std::uint64_t shard::append(std::string_view entry) {
  chunk_.add(entry);
  figures_.entries.fetch_add(1, std::memory_order_relaxed);
  return ++last_index_;
}

void shard::send(const reply_address& to, reply&& what) {
  if (outgoing_replies_.size() <= to.front) outgoing_replies_.resize(to.front + 1);
  outgoing_replies_[to.front].push_back({to.ticket, std::move(what)});
}

/// The output gate (shard/S1), for a reply that its entry makes true: it leaves when that is committed.
void shard::answer_entry(const reply_address& to, reply&& what, std::uint64_t index) {
  if (index <= committed_) return send(to, std::move(what));
  // A repetition may ask for an older entry; waiting for the one before keeps the queue sorted and costs one
  // fsync.
  if (!gated_replies_.empty()) index = std::max(index, gated_replies_.back().index);
  gated_replies_.push_back({index, to, std::move(what)});
}

/// The output gate for everything else that tells of the state: a read, a refusal. Another primary may have
/// changed it since, so the replica is asked.
void shard::answer_read(const reply_address& to, reply&& what, std::uint64_t depends_on) {
  read_index_ = std::max(read_index_, depends_on);
  has_reads_to_confirm_ = true;
  pending_reads_.push_back({read_ticket_, to, std::move(what)});
}

void shard::on_reads_released(std::uint64_t ticket) {
  if (!is_serving_) return;
  while (!pending_reads_.empty() && pending_reads_.front().ticket <= ticket) {
    auto& front = pending_reads_.front();
    send(front.to, std::move(front.what));
    pending_reads_.pop_front();
  }
  run_ready();  // they count among what waits, which is bounded
}

/// Nothing here can be taken back one by one: entities have run ahead of the commit. So everybody is told
/// what is known of his command, and the next life reads what the new primary has made of the log. Messages
/// of other shards are repeated by these.
void shard::on_stop_serving() {
  is_deposed_ = true;
  is_serving_ = is_holding_ = false;
  for (auto& one : gated_replies_) send(one.to, {reply_status::unknown, {}, 0, false});
  // Nothing came of these, or another primary knows it.
  const auto refuse = [&](const reply_address& to) { send(to, {reply_status::not_primary, {}, 0, false}); };
  for (const auto& one : pending_reads_) refuse(one.to);
  for (const auto& to : named_.take_waiting()) refuse(to);
  refuse_early();
  for (auto& [ref, r] : residents_) {
    auto items = r.queue.take(r.queue.size());
    refuse_as_deposed(items);
  }
  gated_replies_.clear();
  pending_reads_.clear();
  early_parcels_.clear();
  gated_effects_.clear();
  outgoing_acks_.clear();
  has_reads_to_confirm_ = outbox_changed_ = false;
  figures_.queued.store(0, std::memory_order_relaxed);
  figures_.residents.store(0, std::memory_order_relaxed);
}

/// None of them has made an entry.
void shard::refuse_as_deposed(std::vector<work>& items) {
  for (const auto& item : items)
    if (item.cause == entry_cause::command) send(item.from, {reply_status::not_primary, {}, 0, false});
}

void shard::on_accepting(bool accepts) {
  is_accepting_ = accepts;
  if (accepts && is_serving_) take_early();
}

void shard::on_committed(std::uint64_t index) {
  if (!is_serving_) return;  // of earlier epochs, or as a backup
  TROUPE_ASSERT(index <= last_index_, "more is committed than was proposed");
  committed_ = std::max(committed_, index);
  figures_.committed.store(committed_, std::memory_order_relaxed);
  while (!uncommitted_.empty() && uncommitted_.front().first <= committed_) {
    uncommitted_bytes_ -= uncommitted_.front().second;
    uncommitted_.pop_front();
  }
  open_gate();
  run_ready();
}

void shard::open_gate() {
  while (!gated_replies_.empty() && gated_replies_.front().index <= committed_) {
    auto& front = gated_replies_.front();
    send(front.to, std::move(front.what));
    gated_replies_.pop_front();
  }
  while (!gated_effects_.empty() && gated_effects_.front().index <= committed_) {
    release_effects(gated_effects_.front());
    gated_effects_.pop_front();
  }
}

void shard::release_effects(gated_effects& out) {
  std::uint16_t position = 0;
  for (auto& send : out.sends) {
    const auto to = shard_of(send.target, store_.shard_count());
    outbox_.add(to, {{out.index, position++}, std::move(send)});
    outbox_changed_ = true;
  }
  if (out.acks) {
    receipts_.done(out.ack_to, out.ack_id);
    outgoing_acks_[out.ack_to].push_back(out.ack_id);
  }
  if (!out.arrived.empty()) {
    outbox_.settled(out.arrived);
    outbox_changed_ = true;
  }
}

void shard::on_applied(std::uint64_t index) {
  applied_ = std::max(applied_, index);
  if (is_deposed_) return;
  if (!is_serving_) return start_when_ready();
  figures_.applied.store(applied_, std::memory_order_relaxed);
  named_.forget_applied(applied_);
  timers_.forget_applied(applied_);
  while (!unapplied_batches_.empty() && unapplied_batches_.front().first <= applied_) {
    const auto [r, batch] = unapplied_batches_.front().second;
    r->applied_batch = batch;
    unapplied_batches_.pop_front();
  }
  while (!unapplied_.empty() && unapplied_.front().first <= applied_) {
    unapplied_bytes_ -= unapplied_.front().second;
    unapplied_.pop_front();
  }
  if (outbox_.has_backlog()) outbox_changed_ = true;
  run_ready();
}

void shard::on_acknowledged(shard_id by, const std::vector<send_id>& ids) {
  if (is_serving_) outbox_.acknowledged(by, ids, clock_.steady());
}

void shard::append_housekeeping() {
  gated_effects gated{};
  gated.arrived = outbox_.take_arrived();
  const auto forgotten = receipts_.take_forgotten();
  if (gated.arrived.empty() && forgotten.empty()) return;
  std::string entry;
  encode_housekeeping(entry, now(), gated.arrived, forgotten);
  gated.index = append(entry);
  gated_effects_.push_back(std::move(gated));
}

void shard::deliver() {
  outbox_changed_ = false;
  for (auto& [to, parcels] : outbox_.take_outgoing(id_, applied_, clock_.steady())) {
    figures_.parcels_sent.fetch_add(parcels.parcels.size(), std::memory_order_relaxed);
    ports_.send_parcels(to, std::move(parcels));
  }
}

void shard::acknowledge() {
  for (auto& [to, ids] : outgoing_acks_) ports_.send_acknowledgements(to, std::move(ids));
  outgoing_acks_.clear();
}

void shard::propose_chunk() {
  uncommitted_.emplace_back(last_index_, chunk_.bytes());
  uncommitted_bytes_ += chunk_.bytes();
  unapplied_.emplace_back(last_index_, chunk_.bytes());
  unapplied_bytes_ += chunk_.bytes();
  proposal entries{chunk_.first_index(), last_index_, epoch_, epoch_, {}, std::exchange(awaited_, 0)};
  entries.chunk = chunk_.take();
  chunk_.begin(last_index_ + 1, epoch_, epoch_);
  figures_.last_index.store(last_index_, std::memory_order_relaxed);
  ports_.propose(std::move(entries));
}

void shard::finish_round() {
  const auto now = clock_.steady();
  if (is_deposed_) return send_replies();
  const bool has_housekeeping = is_accepting_ && (outbox_.has_arrived() || receipts_.has_forgotten());
  if (has_housekeeping && housekeeping_at_ == std::chrono::steady_clock::time_point{}) {
    housekeeping_at_ = now + options_.housekeeping_delay;
  }
  if (has_housekeeping && now >= housekeeping_at_) {
    append_housekeeping();
    housekeeping_at_ = {};
  }
  if (chunk_.count() > 0) propose_chunk();
  if (std::exchange(has_reads_to_confirm_, false)) ports_.read(read_ticket_++, read_index_);
  send_replies();
  if (outbox_changed_ && now >= next_delivery_) {
    deliver();
    next_delivery_ = now + options_.delivery_interval;
  }
  if (!outgoing_acks_.empty()) {
    if (acknowledge_at_ == std::chrono::steady_clock::time_point{})
      acknowledge_at_ = now + options_.acknowledgement_delay;
    if (now >= acknowledge_at_) {
      acknowledge();
      acknowledge_at_ = {};
    }
  }
  figures_.named.store(named_.size(), std::memory_order_relaxed);
  schedule(now);
}

void shard::send_replies() {
  for (std::uint32_t front = 0; front < outgoing_replies_.size(); ++front) {
    if (!outgoing_replies_[front].empty())
      ports_.send_replies(front, std::exchange(outgoing_replies_[front], {}));
  }
}

}  // namespace troupe
