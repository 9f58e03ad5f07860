#include <algorithm>
#include <string>

#include "cluster/replica/replica.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/base/hash.hpp"

namespace troupe::replication {

/// Whether `m` comes from the primary of this epoch; if so, it lives.
bool replica::follow(const message& m) {
  if (m.epoch < epoch_) {
    ++figures_.old_epoch;
    send_to(m.from, nack{refusal::newer_epoch, epoch_});
    return false;
  }
  // Two primaries in one epoch: not by correct replicas and a correct authority.
  if (role_ == replica_role::primary || has_another_primary(m.epoch, m.from)) {
    ++figures_.bad_messages;
    if (has_another_primary(m.epoch, m.from) && log_.last_epoch() == epoch_) leave_fork();
    return false;
  }
  leader_ = m.from;
  if (meta_.primary.run == 0) {
    meta_.primary = leader_;
    write_meta_now();
  }
  leader_revision_ = std::max(leader_revision_, m.revision);
  last_heard_ = now_;
  has_asked_around_ = false;
  return true;
}

void replica::on(const message& m, const activate& b) {
  if (!follow(m)) return;
  if ((!following_ || has(mutant::cut_same_epoch)) && !reconcile(b)) return;
  following_ = true;
  round_seen_ = std::max(round_seen_, b.round);
  acknowledge();
}

/// Cuts what the primary does not have. The cut follows from the log as it is now, so a late or repeated
/// activate is harmless, and entries of this epoch are never cut: they came from its primary (row 29).
bool replica::reconcile(const activate& b) {
  if (has(mutant::no_reconciliation)) return true;
  auto cut = log_.last();
  if (has(mutant::truncate_to_commit)) {
    cut = std::max(commit_, log_.start() - 1);
  } else if (has(mutant::cut_by_length)) {
    cut = std::min(cut, b.barrier - 1);
  } else if (has(mutant::one_epoch_lookup)) {
    // Only this log's newest epoch is looked up; where the primary does not know it, the end of the newest
    // older epoch that the primary has (KIP-279's mistake).
    auto end = b.barrier - 1;
    for (auto e = b.history.rbegin(); e != b.history.rend() && e->epoch > log_.last_epoch(); ++e)
      end = e->first_index - 1;
    if (log_.last_epoch() != epoch_) cut = std::min(cut, end);
  } else if (has(mutant::cut_same_epoch)) {
    cut = std::min(log_.common_end(b.history, b.barrier - 1), b.barrier - 1);
  } else if (log_.last_epoch() != epoch_) {
    cut = log_.common_end(b.history, b.barrier - 1);
  }
  if ((cut < commit_ || cut < log_.start() - 1) && options_.bug == mutant::none) {
    set_quarantine(cut, false);
    return false;
  }
  truncate(std::max(cut, log_.start() - 1));
  return true;
}

/// The authority was set back and has given this epoch to another one, who says so. Its entries are others
/// under the same names, and in a later epoch nobody could tell. Not only where the authority confirms it:
/// that may be at a revision which is not believed here.
void replica::leave_fork() {
  auto cut = log_.last();
  for (const auto& e : log_.history())
    if (e.epoch == epoch_) cut = e.first_index - 1;
  if (role_ == replica_role::primary) resign_role();
  set_quarantine(cut, true);
}

void replica::set_quarantine(std::uint64_t cut, bool is_fork) {
  meta_.disk = disk_state::quarantined;
  write_meta_now();
  role_ = replica_role::quarantined;
  following_ = false;
  out_->push_back(quarantined{is_fork, cut, commit_});
}

void replica::on(const message& m, const append& b) {
  if (!follow(m)) return;
  if (!following_) {
    send_to(m.from, nack{refusal::not_activated, 0});
    return;
  }
  if (is_fenced(m.revision)) {
    send_to(m.from, nack{refusal::fenced, meta_.fence_revision});
    return;
  }
  // It said that it gives way, nobody could be elected, and it goes on: its disk answers again.
  if (primary_gone_at_ && now_ - *primary_gone_at_ >= options_.stall_after && b.commit > commit_when_gone_)
    primary_gone_at_.reset();
  leader_commit_ = std::max(leader_commit_, b.commit);
  round_seen_ = std::max(round_seen_, b.round);
  const auto last_before = log_.last();
  if (!is_full_) {
    for (const auto& entries : b.chunks)
      if (!take_chunk(entries)) break;
  }
  advance_backup_commit();
  const bool is_repeat = !b.chunks.empty() && !is_full_ && b.chunks.back().last <= last_before;
  if (is_repeat && has(mutant::silent_on_repeats)) return;
  if (!is_full_ && !b.chunks.empty() && b.chunks.back().last > log_.last()) {
    send_to(m.from, nack{refusal::gap, log_.last()});
    // The acknowledgement of what is here may have been lost, and without it a small window stays closed.
    if (log_.last() == last_before) acknowledge();
  } else if (log_.last() == last_before || has(mutant::ack_before_sync)) {
    acknowledge();  // a repeat too: its first answer may have been lost (row 31)
  }
}

/// Writes what is new. False when the log does not reach up to these entries, or they cannot be meant for it.
bool replica::take_chunk(const chunk& entries) {
  if (entries.last <= log_.last()) return true;
  if (entries.first != log_.last() + 1) return false;
  if (entries.last < entries.first || entries.epoch > epoch_ ||
      ((entries.epoch < log_.last_epoch() || entries.previous_epoch != log_.last_epoch()) &&
       !has(mutant::no_reconciliation) && !has(mutant::cut_by_length) && !has(mutant::one_epoch_lookup))) {
    ++figures_.bad_messages;
    return false;
  }
  if (entries.epoch < log_.last_epoch()) return false;
  write_chunk(entries);
  return true;
}

/// Tells the primary what is on disk here. Never what is only written.
void replica::acknowledge() {
  if (leader_.run == 0 || !following_) return;
  if (is_fenced(leader_revision_)) {
    send_to(leader_, nack{refusal::fenced, meta_.fence_revision});
    return;
  }
  const auto match = has(mutant::ack_before_sync) ? log_.last() : synced_;
  send_to(leader_, append_ack{match, round_seen_, is_full_, is_resigning_});
}

void replica::advance_backup_commit() {
  if (following_) commit_ = std::max(commit_, std::min(leader_commit_, synced_));
}

void replica::on(const message& m, const release&) {
  const bool is_old = m.epoch < epoch_ && !has(mutant::old_release);
  if (is_old || role_ != replica_role::backup) return;
  // Of this epoch's primary; of a later epoch it only says that there is one.
  if (config_.config.epoch == epoch_ && config_.config.primary == m.from && !primary_gone_at_)
    note_primary_gone();
  ++figures_.releases;
  wants_config_ = true;
  // Nobody is served until it is known who comes next, so this does not wait for a tick.
  ask_authority();
}

void replica::on(const message& m, const suspicion&) {
  if (m.epoch < epoch_) {
    send_to(m.from, nack{refusal::newer_epoch, epoch_});
    return;
  }
  const bool heard = leader_.run != 0 && now_ - last_heard_ < options_.suspect_after / 2 &&
                     !is_lost(primary_lost_at_, last_heard_);
  if (role_ == replica_role::primary || (heard && !primary_gone_at_)) send_to(m.from, heard_lately{});
}

/// Section 10: the promise is on disk before the answer leaves.
void replica::on(const message& m, const poll& b) {
  if (config_.revision > b.revision) {
    send_to(m.from, nack{refusal::newer_epoch, epoch_});  // carries the newer revision
    return;
  }
  if (role_ == replica_role::primary) {
    if (config_.revision == b.revision) touch();  // alive: a newer revision ends the poll
    return;
  }
  meta_.fence_revision = std::max(meta_.fence_revision, b.revision);
  ++figures_.polls_fenced;
  waiting_polls_.push_back({next_number_, m.from, b.nonce});
  write_meta_now();
}

void replica::answer_polls(std::uint64_t done) {
  for (const auto& w : waiting_polls_)
    if (w.number <= done)
      send_to(w.asker, poll_answer{w.nonce, {log_.epoch_at(synced_), synced_}, meta_.disk, meta_.disk_since});
  std::erase_if(waiting_polls_, [&](const waiting_poll& w) { return w.number <= done; });
}

void replica::on(const message& m, const snapshot_part& b) {
  if (!follow(m) || !following_ || is_full_ || !b.bytes) return;
  if (b.index <= log_.last()) {
    acknowledge();
    return;
  }
  if (b.total == 0 || b.offset + b.bytes->size() > b.total || b.history.empty() ||
      b.history.back().first_index > b.index || b.history.back().epoch > epoch_) {
    ++figures_.bad_messages;
    return;
  }
  if (!staged_ || staged_->index != b.index || staged_->hash != b.hash) {
    if (staged_) ++figures_.snapshots_abandoned;
    staged_ = staged_snapshot{b.index, b.total, b.hash, 0, 0, b.history};
  }
  if (b.offset == staged_->received && b.total == staged_->total) {
    staged_->received += b.bytes->size();
    staged_->running_hash = stable_hash(*b.bytes, staged_->running_hash);
    out_->push_back(stage_snapshot{next_number_++, b.index, b.offset, b.bytes});
    if (staged_->received == staged_->total) return finish_snapshot();
  }
  send_to(m.from, snapshot_ack{b.index, staged_->received});
}

void replica::finish_snapshot() {
  const auto done = *std::exchange(staged_, std::nullopt);
  if (done.running_hash != done.hash) {
    ++figures_.bad_messages;
    send_to(leader_, snapshot_ack{done.index, 0});
    return;
  }
  ++figures_.snapshots_installed;
  const auto number = next_number_++;
  log_.reset(done.index, done.history);
  note_unsynced(number, done.index);
  leader_commit_ = std::max(leader_commit_, done.index);
  out_->push_back(install_snapshot{number, done.index, done.history});
  if (has(mutant::snapshot_ack_early)) {
    synced_ = done.index;
    acknowledge();
  }
}

std::uint64_t snapshot_hash(std::string_view whole, std::size_t piece) {
  std::uint64_t hash = 0;
  for (std::size_t at = 0; at < whole.size(); at += piece) hash = stable_hash(whole.substr(at, piece), hash);
  return hash;
}

}  // namespace troupe::replication
