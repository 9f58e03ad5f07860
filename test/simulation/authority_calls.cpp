// What is between a node and the authority: latency, loss, and answers from another time.

#include <algorithm>

#include "test/simulation/simulation.hpp"

namespace troupe::simulation {

using namespace replication;  // NOLINT: the names of events and messages

void simulation::read_authority(node& by, shard_id shard) {
  auto& random = authority_random_;
  if (weather.out_until > now_ || weather.cut_until[by.number()] > now_) return;
  auto latency = random.skewed(drawn.authority_min, drawn.authority_max);
  if (weather.slow_until > now_) latency += random.skewed(0, second);
  authority_call call;
  call.by = by.self();
  call.shard = shard;
  call.is_read = true;
  call.answer_at = now_ + latency * 2;
  call.is_lost = !is_healed && random.chance(drawn.authority_lost);
  time.add({now_ + latency, 0, happening::authority_apply, by.number(), 0, keep_call(std::move(call)), 0});
}

/// The caller hears exactly one answer, at the latest when the deadline has passed; what happens at the
/// authority may happen after that, or never.
void simulation::write_authority(node& by, shard_id shard, compare_and_set&& what) {
  auto& random = authority_random_;
  const bool is_cut = weather.out_until > now_ || weather.cut_until[by.number()] > now_;
  const bool is_lossy = !is_healed && weather.lossy_until > now_;
  const auto lost = is_healed ? 0 : drawn.authority_lost + (is_lossy ? 0.4 : 0);
  authority_call call;
  call.by = by.self();
  call.shard = shard;
  call.write = std::move(what);
  auto latency = random.skewed(drawn.authority_min, drawn.authority_max);
  if (!is_healed && (weather.slow_until > now_ || random.chance(lost)))
    latency += random.between(0, 1200 * millisecond);
  call.deadline = now_ + drawn.authority_deadline;
  call.answer_at = now_ + latency + random.skewed(drawn.authority_min, drawn.authority_max);
  if (random.chance(lost)) call.answer_at = call.deadline + 1;  // applied, and the answer lost
  call.is_lost = is_cut || random.chance(lost / 3);
  const bool times_out = call.is_lost || call.answer_at > call.deadline;
  const auto answer_at = times_out ? call.deadline : call.answer_at;
  // Applied after the answer: only when the answer is `unknown`.
  call.uses = call.is_lost ? 1 : 2;
  const auto slot = keep_call(std::move(call));
  if (!calls_[slot].is_lost)
    time.add({now_ + latency, 0, happening::authority_apply, by.number(), 0, slot, 1});
  time.add(
      {answer_at, 0, happening::authority_answer, by.number(), by.life(), slot, times_out ? 1ULL : 0ULL});
}

void simulation::apply_at_authority(const scheduled& what) {
  auto& call = calls_[what.slot];
  if (call.is_read) {
    if (call.is_lost) return drop_call(what.slot);
    call.answer.now = weather.rolled_back_until > now_
                          ? authority.read_old(call.shard, weather.rolled_back_by)
                          : authority.read(call.shard);
    auto& by = *nodes[static_cast<std::size_t>(call.by.node) - 1];
    time.add({call.answer_at, 0, happening::authority_answer, by.number(), 0, what.slot, 2});
    return;
  }
  if (weather.rolled_back_until > now_) {
    call.answer = {cas_outcome::conflict, authority.read_old(call.shard, weather.rolled_back_by)};
    return drop_call(what.slot);
  }
  call.answer = authority.cas(call.shard, call.write.expected_revision, call.write.proposed);
  const auto shard = call.shard;
  const bool has_won = call.answer.outcome == cas_outcome::won;
  if (has_won && call.answer_at > call.deadline) result.covered.add(mark::ambiguous_write_applied);
  drop_call(what.slot);
  if (has_won) on_config_written(shard);
}

/// Says that something may have changed. A hint is lost, late, repeated or about nothing new, and whoever
/// gets one reads.
void simulation::announce(shard_id shard) {
  auto& random = authority_random_;
  for (const auto& n : nodes) {
    if (weather.out_until > now_ || weather.cut_until[n->number()] > now_) continue;
    if (random.chance(drawn.hint_lost)) continue;
    for (const bool again : {false, true}) {
      if (again && !random.chance(0.1)) continue;
      const auto at = now_ + random.skewed(drawn.authority_min, again ? second : drawn.authority_max);
      time.add({at, 0, happening::hint, n->number(), 0, shard, 0});
    }
  }
}

void simulation::answer_from_authority(const scheduled& what) {
  auto& by = *nodes[what.node];
  auto& call = calls_[what.slot];
  const auto refused = [&, shard = call.shard] {
    const auto* r = by.replica_of(shard);
    return r == nullptr ? 0 : r->figures().refused_configs;
  };
  const auto refused_before = refused();
  const auto count_refusal = [&] {
    if (weather.rolled_back_until > now_ && refused() > refused_before)
      result.covered.add(mark::rollback_refused);
  };
  if (call.is_read) {
    const auto now = call.answer.now;
    const auto shard = call.shard;
    const bool is_current = call.by == by.self();
    drop_call(what.slot);
    if (!is_current) return;
    by.step(shard, config_read{now});
    return count_refusal();
  }
  cas_done done{call.write.proposed.written_by, call.answer};
  if (what.number == 1) done.result = {cas_outcome::unknown, {}};
  const auto shard = call.shard;
  drop_call(what.slot);
  by.step(shard, done);
  count_refusal();
}

}  // namespace troupe::simulation
