// What a node does for clients: runs their commands, and answers when the replica says so.

#include <algorithm>

#include "test/simulation/simulation.hpp"

namespace troupe::simulation {

using namespace replication;  // NOLINT: the names of events and messages

void node::carry_out(shard_id shard, reads_released& a) {
  auto& p = parts_[shard];
  while (!p.reads.empty() && p.reads.front().ticket <= a.ticket) {
    const auto& r = p.reads.front();
    if (r.is_repeat) {
      world_.truth.on_repeat_answered(shard, r.seen.index, r.by.what, r.answer);
    } else {
      world_.truth.on_read_answered(shard, r.seen);
    }
    answer(r.by, shard, verdict::answered, r.answer, r.seen.index);
    ++world_.result.reads;
    p.reads.pop_front();
  }
}

void node::answer_writes(shard_id shard) {
  auto& p = parts_[shard];
  if (!p.is_serving) return;
  while (!p.writes.empty() && p.writes.front().index <= p.replica->commit()) {
    const auto& w = p.writes.front();
    world_.truth.on_write_answered(shard, p.epoch, w.index, w.by.what, w.answer);
    answer(w.by, shard, verdict::answered, w.answer, w.index);
    ++world_.result.writes;
    p.writes.pop_front();
  }
}

void node::answer(const request& to, shard_id, verdict how, const reply& what, std::uint64_t index) {
  world_.answer(*this, to, how, what, index);
}

void node::on_request(const request& what, shard_id shard) {
  auto& p = parts_[shard];
  if (!p.is_serving || (!p.is_accepting && what.what.what != operation::read)) {
    const auto hint = static_cast<std::uint64_t>(p.replica->config().config.primary.node);
    return answer(what, shard, verdict::rejected_here, {}, hint);
  }
  const auto& known = p.working.last_of(what.what.client);
  if (known.number > what.what.number) return;  // a straggler; its client has moved on
  // It waits for what it depends on and not for other SKUs' entries, as in the runtime, so that a stale read
  // is not hidden behind a write that will never be committed.
  const auto read_it = [&](const reply& evaluated, bool is_repeat) {
    const auto sku = what.what.sku;
    judge::seen_state seen{sku, is_repeat ? p.client_index[what.what.client] : p.sku_index[sku],
                           world_.truth.revealed(shard, sku), p.working.hash_of_sku(sku)};
    const bool is_ungated =
        world_.options.bug == mutant::ungated_rejections && what.what.what != operation::read;
    if (is_ungated) {
      world_.truth.on_read_answered(shard, seen);
      return answer(what, shard, verdict::answered, evaluated, seen.index);
    }
    p.read_index = std::max(p.read_index, seen.index);
    p.reads.push_back({p.next_ticket, seen, is_repeat, what, evaluated});
    step(shard, read{p.next_ticket++, p.read_index});
  };
  const bool forgets = world_.options.bug == mutant::forget_replies;
  if (known.number == what.what.number && !(forgets && p.known_at_start[what.what.client] == known.number)) {
    if (p.known_at_start[what.what.client] == known.number)
      world_.result.covered.add(mark::dedup_after_failover);
    return read_it(known.answer, true);
  }
  if (world_.now_ < full_until && what.what.what != operation::read) {
    world_.result.covered.add(mark::storage_full);
    return answer(what, shard, verdict::storage_full, {}, 0);
  }
  std::optional<stock_entry> entry;
  const auto evaluated = p.working.execute(what.what, entry);
  if (!entry) return read_it(evaluated, false);
  if (!p.replica->is_accepting())
    world_.truth.fail("S11", "shard " + std::to_string(shard) + " node " + std::to_string(number_ + 1) +
                                 ": accepts while it hands over");
  p.working.apply(*entry);
  ++p.working_index;
  p.sku_index[what.what.sku] = p.client_index[what.what.client] = p.working_index;
  append_entry(p.pending, *entry);
  ++p.pending_count;
  p.writes.push_back({p.working_index, what, evaluated});
  if (!std::exchange(p.flush_is_scheduled, true))
    world_.time.add({world_.now_ + random_.between(20, 500), 0, happening::flush, number_, life_, shard, 0});
}

/// What came in shortly after each other is proposed together.
void node::flush(shard_id shard) {
  auto& p = parts_[shard];
  p.flush_is_scheduled = false;
  if (!p.is_serving || p.pending_count == 0) return;
  const auto& log = p.replica->log();
  chunk c{log.last() + 1, log.last() + p.pending_count, p.epoch, log.last_epoch(),
          std::make_shared<const std::string>(std::move(p.pending))};
  p.pending.clear();
  p.pending_count = 0;
  step(shard, propose{std::move(c)});
}

void node::set_full(bool full) {
  for (std::size_t i = 0; i < parts_.size() && is_up_; ++i)
    step(static_cast<shard_id>(i), storage_full{full});
}

}  // namespace troupe::simulation
