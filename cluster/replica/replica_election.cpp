#include <algorithm>

#include "cluster/replica/replica.hpp"

namespace troupe::replication {

/// E1: in sync, in this very life.
bool replica::is_electable() const {
  if (staged_) return false;
  if (has(mutant::elect_anyone)) return true;
  if (has(mutant::resume_old_epoch) || has(mutant::no_incarnations))
    return find_node(config_.config.in_sync, self_.node).run != 0;
  return meta_.disk == disk_state::sound && is_in(config_.config.in_sync, self_);
}

std::optional<moment> replica::suspected_since() const {
  if (primary_gone_at_) return primary_gone_at_;
  if (is_lost(primary_lost_at_, last_heard_)) return primary_lost_at_;
  if (now_ - last_heard_ >= options_.suspect_after) return last_heard_ + options_.suspect_after;
  return std::nullopt;
}

/// Whether no process that is in the in-sync set lives any more: everybody lost power.
bool replica::are_all_restarted() const {
  const auto& set = config_.config.in_sync;
  return std::all_of(set.begin(), set.end(), [this](const member& m) {
    return (m.node == self_.node ? self_.run : run_of(m.node)) > m.run;
  });
}

/// The order in which the in-sync replicas try, so that they do not all try at once.
std::size_t replica::rank() const {
  std::size_t before = 0;
  for (const auto& m : config_.config.in_sync)
    if (m.node < self_.node && m.node != config_.config.primary.node) ++before;
  return before;
}

void replica::tick_election() {
  if (poll_) tick_poll();
  const auto since = suspected_since();
  if (!since || now_ < next_attempt_ || poll_) return;
  if (config_.revision == 0 || config_.config.epoch < epoch_) {
    wants_config_ = true;
    return;
  }
  const bool by_own_word = is_electable();
  if (!by_own_word && find_node(config_.config.in_sync, self_.node).run == 0) {
    wants_config_ = wants_config_ || now_ - asked_authority_at_ >= options_.election_retry;
    return;
  }
  auto due = *since + options_.rank_delay * static_cast<int>(rank());
  // Longer, for who was not in sync in this life: as long as there may be somebody who was.
  if (!by_own_word && !are_all_restarted()) due += options_.restarted_delay;
  // Longer too, for who would wait for its own disk.
  if (has_disk_hung(options_.slow_after / 2)) due += options_.stall_after;
  if (now_ < due) return;
  if (!primary_gone_at_ && !has_asked_around_ && now_ - last_heard_ < options_.stall_after) {
    has_asked_around_ = true;
    next_attempt_ = now_ + options_.haste;
    for (const auto& m : config_.config.in_sync)
      if (m.node != self_.node) send_to({m.node, run_of(m.node)}, suspicion{});
    return;
  }
  waits_for_config_ = true;
  has_asked_around_ = false;
  next_attempt_ = now_ + options_.election_retry + options_.rank_delay * static_cast<int>(rank());
  ask_authority();
}

/// Somebody who is not cut off from the primary will do better than this replica; after stall_after not.
void replica::on(const message&, const heard_lately&) {
  if (role_ != replica_role::backup || !has_asked_around_ || primary_gone_at_) return;
  ++figures_.pre_votes_heeded;
  has_asked_around_ = false;
  next_attempt_ = now_ + options_.suspect_after / 2;
}

/// Tries to become the primary of the next epoch, at the revision that was read. The old primary leaves the
/// in-sync set if the floor allows it; this replica's entry becomes its present run.
void replica::stand() {
  auto proposed = config_.config;
  const auto old = proposed.primary;
  ++proposed.epoch;
  proposed.primary = self_;
  proposed.in_sync = with(proposed.in_sync, self_);
  if (old.node != self_.node && find_node(proposed.in_sync, old.node).run != 0 &&
      (proposed.in_sync.size() > proposed.min_in_sync || has(mutant::no_floor)))
    proposed.in_sync = without(proposed.in_sync, old.node);
  proposed.written_by = make_nonce();
  try_config(proposed);
  if (has(mutant::act_before_answer)) accept_config({shard_, config_.revision + 1, proposed});
}

/// E2, E3: this run was not in sync, an earlier one was. Its disk may hold everything; the others are asked.
void replica::start_poll() {
  meta_.fence_revision = std::max(meta_.fence_revision, config_.revision);
  own_poll p;
  p.revision = config_.revision;
  p.nonce = (self_.run << 20U) + ++nonces_;
  p.fence_number = next_number_;
  p.since = p.asked_at = now_;
  write_meta_now();
  poll_ = std::move(p);
  for (const auto& m : config_.config.in_sync)
    if (m.node != self_.node) send_to({m.node, run_of(m.node)}, poll{poll_->revision, poll_->nonce});
}

void replica::tick_poll() {
  if (!suspected_since()) {  // the primary lives
    poll_.reset();
    return;
  }
  if (now_ - poll_->asked_at >= options_.resend_after) {
    poll_->asked_at = now_;
    for (const auto& m : config_.config.in_sync) {
      const bool has_answered = std::any_of(poll_->answers.begin(), poll_->answers.end(),
                                            [&](const auto& a) { return a.first == m.node; });
      if (m.node != self_.node && !has_answered)
        send_to({m.node, run_of(m.node)}, poll{poll_->revision, poll_->nonce});
    }
  }
  decide_poll();
}

void replica::on(const message& m, const poll_answer& b) {
  if (!poll_) return;
  if (b.nonce != poll_->nonce && !has(mutant::no_fence)) return;
  std::erase_if(poll_->answers, [&](const auto& a) { return a.first == m.from.node; });
  poll_->answers.emplace_back(m.from.node, b);
  decide_poll();
}

void replica::decide_poll() {
  if (!poll_->fence_is_down) return;
  std::size_t missing = 0;
  bool is_outdone = false;
  bool anybody_is_sound = meta_.disk == disk_state::sound;
  const log_position mine{log_.epoch_at(synced_), synced_};
  for (const auto& m : config_.config.in_sync) {
    if (m.node == self_.node) continue;
    const auto answer = std::find_if(poll_->answers.begin(), poll_->answers.end(),
                                     [&](const auto& a) { return a.first == m.node; });
    if (answer == poll_->answers.end()) {
      ++missing;
      continue;
    }
    const auto& [nonce, end, disk, since] = answer->second;
    is_outdone = is_outdone || end > mine;
    anybody_is_sound = anybody_is_sound || disk == disk_state::sound || is_as_listed(disk, since, m);
  }
  if (is_outdone) {
    ++figures_.polls_outdone;
    poll_.reset();
    next_attempt_ = now_ + options_.election_retry * 2;
    return;
  }
  const bool own_disk_counts = options_.trust == disk_trust::fsync &&
                               (meta_.disk == disk_state::sound || has(mutant::poll_ignores_disk));
  const bool may_do_without =
      (own_disk_counts && now_ - poll_->since >= options_.poll_patience) || has(mutant::poll_without_all);
  // Copies that have all lost something do not know what: an empty log must not win over nothing.
  const bool knows = missing == 0 && anybody_is_sound;
  if (!knows && !may_do_without) {
    if (!own_disk_counts && !std::exchange(poll_->is_counted, true)) ++figures_.polls_waiting;
    return;
  }
  poll_.reset();
  ++figures_.elections_by_poll;
  stand();
}

}  // namespace troupe::replication
