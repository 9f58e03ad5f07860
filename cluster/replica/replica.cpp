#include "cluster/replica/replica.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "runtime/base/assert.hpp"

namespace troupe::replication {

replica::replica(shard_id shard, member self, const replica_options& options, durable_state from_disk,
                 moment now)
    : shard_(shard),
      self_(self),
      options_(options),
      now_(now),
      meta_(from_disk.meta),
      log_(std::move(from_disk.log)) {
  // What was read back from the disk is on the disk.
  synced_ = log_.last();
  told_commit_ = std::max(log_.start() - 1, from_disk.applied);
  commit_ = std::max(told_commit_, from_disk.committed);
  epoch_ = std::max(meta_.epoch, log_.last_epoch());
  last_heard_ = now;
  if (meta_.disk_since == 0) meta_.disk_since = from_disk.disk_since != 0 ? from_disk.disk_since : self_.run;
  if (has(mutant::blank_is_sound)) meta_.disk = disk_state::sound;
  if (meta_.disk == disk_state::quarantined) role_ = replica_role::quarantined;
}

void replica::step(moment now, const event& what, actions& out) {
  now_ = std::max(now_, now);
  out_ = &out;
  if (role_ != replica_role::quarantined) std::visit([this](const auto& e) { on(e); }, what);
  tell_commit();
  if (role_ == replica_role::primary) {
    release_reads();
    // Not in the step that stops accepting: what the shard has begun comes first.
    if (transfer_ && !std::exchange(transfer_->is_new, false)) propose_transfer();
  }
  out_ = nullptr;
}

void replica::tell_commit() {
  if (commit_ > told_commit_) out_->push_back(committed{commit_});
  told_commit_ = commit_;
}

void replica::on(const tick&) {
  if (wants_config_ || now_ - asked_authority_at_ >= options_.config_interval) {
    const auto pause = wants_config_ ? options_.haste : options_.config_interval;
    if (now_ - asked_authority_at_ >= pause) ask_authority();
  }
  if (role_ == replica_role::primary) {
    tick_peers();
    tick_transfer();
    tick_own_disk();
    reconsider_set();
  } else {
    tick_election();
  }
}

void replica::on(const received& e) {
  const message& m = e.what;
  if (!is_for_me(m)) {
    ++figures_.foreign;
    return;
  }
  if (m.epoch > epoch_) adopt_epoch(m.epoch);
  if (m.revision > config_.revision) wants_config_ = true;
  if (role_ == replica_role::quarantined) return;
  std::visit([&](const auto& body) { on(m, body); }, m.body);
}

bool replica::is_for_me(const message& m) {
  if (m.shard != shard_ || m.from.node == self_.node) return false;
  if (!is_same(m.to, self_)) return false;
  learn_run(m.from);
  return is_same(m.from, {m.from.node, run_of(m.from.node)});
}

bool replica::is_same(member a, member b) const {
  return a.node == b.node && (a.run == b.run || has(mutant::no_incarnations));
}

bool replica::is_in(const std::vector<member>& members, member who) const {
  return std::any_of(members.begin(), members.end(), [&](const member& m) { return is_same(m, who); });
}

incarnation replica::run_of(node_id node) const { return find_node(runs_, node).run; }

/// Whose connection broke is there again.
void replica::on(const peer_seen& e) {
  learn_run(e.who);
  if (config_.config.primary == e.who) primary_lost_at_.reset();
  if (auto* p = find_peer(e.who.node); p != nullptr && p->who == e.who) p->lost_at.reset();
}

void replica::learn_run(member who) {
  if (who.node == self_.node) return;
  const auto known =
      std::find_if(runs_.begin(), runs_.end(), [&](const member& m) { return m.node == who.node; });
  if (known == runs_.end()) {
    runs_.push_back(who);
  } else if (known->run < who.run) {
    known->run = who.run;
  } else {
    return;
  }
  // A later run of the primary's node: the process that was the primary is dead.
  const member& primary = config_.config.primary;
  if (role_ == replica_role::backup && config_.config.epoch == epoch_ && primary.node == who.node &&
      primary.run < who.run && !primary_gone_at_) {
    note_primary_gone();
    ++figures_.proofs_of_death;
  }
  if (role_ == replica_role::primary) meet_peers();
}

void replica::note_primary_gone() {
  primary_gone_at_ = now_;
  commit_when_gone_ = leader_commit_;
}

void replica::on(const peer_lost& e) {
  if (e.who.node == self_.node) return;
  if (role_ == replica_role::primary) {
    if (auto* p = find_peer(e.who.node); p != nullptr && p->who == e.who) p->lost_at = now_;
    return;
  }
  const auto& config = config_.config;
  if (role_ != replica_role::backup || config.epoch != epoch_ || config.primary != e.who) return;
  primary_lost_at_ = now_;
  ++figures_.primaries_lost;
  tick_election();
}

bool replica::is_lost(const std::optional<moment>& at, moment last_word) const {
  return at && last_word < *at + options_.haste / 2;
}

bool replica::is_in_haste() const {
  const auto& set = in_sync_.maximal();
  if (role_ == replica_role::primary)
    return std::any_of(peers_.begin(), peers_.end(), [&](const peer& p) {
      return is_lost(p.lost_at, p.last_ack) && now_ - *p.lost_at < options_.shrink_after && is_in(set, p.who);
    });
  const auto since = role_ == replica_role::backup ? suspected_since() : std::nullopt;
  return since && now_ - *since < options_.stall_after;
}

void replica::on(const disk_done& e) {
  const auto before = synced_;
  while (!unsynced_.empty() && unsynced_.front().number <= e.number) {
    if (has_disk_hung(options_.slow_after / 2)) {
      disk_hung_at_ = disk_progress_at_;
      disk_back_at_ = now_;
    }
    synced_ = std::max(synced_, unsynced_.front().last);
    unsynced_.pop_front();
    disk_progress_at_ = now_;
  }
  if (!waiting_polls_.empty() && waiting_polls_.front().number <= e.number) answer_polls(e.number);
  if (poll_ && !poll_->fence_is_down && poll_->fence_number <= e.number) {
    poll_->fence_is_down = true;
    decide_poll();
  }
  if (synced_ == before) return;
  if (role_ == replica_role::primary) {
    advance_commit();
  } else if (following_) {
    advance_backup_commit();
    if (!has(mutant::ack_before_sync)) acknowledge();
  }
}

void replica::on(const config_read& e) {
  const bool was_waiting = std::exchange(waits_for_config_, false);
  accept_config(e.now);
  if (has(mutant::reread_means_failed) && change_is_unknown_ && e.now.revision == config_.revision) {
    in_sync_.forget_proposals();
    change_is_unknown_ = false;
  }
  if (!was_waiting || role_ != replica_role::backup || e.now.revision != config_.revision) return;
  const auto since = suspected_since();
  if (!since || config_.config.epoch != epoch_) return;
  if (is_electable()) {
    stand();
  } else if (find_node(config_.config.in_sync, self_.node).run != 0) {
    start_poll();
  }
}

void replica::on(const cas_done& e) {
  if (transfer_ && transfer_->is_proposed && e.result.outcome == cas_outcome::unknown)
    ++figures_.transfers_unknown;
  const bool has_handed_over = e.result.outcome == cas_outcome::won && role_ == replica_role::primary &&
                               e.result.now.config.epoch > epoch_;
  if (has_handed_over) {
    ++figures_.transfers;
    const auto peers = peers_;
    accept_config(e.result.now);
    return release_peers(peers);  // so that the successor looks at the authority at once
  }
  if (transfer_ && has(mutant::accept_while_unknown)) out_->push_back(set_accepting{true});
  const auto known = config_.revision;
  if (e.result.outcome != cas_outcome::unknown) accept_config(e.result.now);
  // No greater revision was seen: nothing is settled, whatever the answer calls itself.
  if (config_.revision > known) return;
  wants_config_ = true;
  if (role_ == replica_role::primary && in_sync_.has_proposal()) {
    change_is_unknown_ = true;
  }
}

void replica::accept_config(const stored_config& now) {
  const auto& config = now.config;
  if (!has(mutant::accept_rollback) || now.revision == config_.revision) {
    if (now.revision <= config_.revision) {
      if (now.revision < config_.revision) ++figures_.refused_configs;
      if (now.revision == config_.revision && config != config_.config) refuse_config();
      if (now.revision == config_.revision) wants_config_ = wants_config_ && in_sync_.has_proposal();
      return;
    }
    if (now.revision < meta_.revision || config.generation < meta_.generation || config.epoch < epoch_ ||
        has_another_primary(config.epoch, config.primary))
      return refuse_config();
  }
  const bool writes_faults = has(mutant::no_floor) || has(mutant::transfer_to_anyone);
  if (now.shard != shard_ || (!fault_in(config).empty() && !writes_faults)) return refuse_config();
  config_ = now;
  wants_config_ = false;
  change_is_unknown_ = false;
  meta_.generation = config.generation;
  meta_.revision = now.revision;
  if (is_in(config.in_sync, self_) ||
      is_as_listed(meta_.disk, meta_.disk_since, find_node(config.in_sync, self_.node)))
    meta_.disk = disk_state::sound;
  if (config.epoch > epoch_ || (has(mutant::accept_rollback) && config.epoch < epoch_)) {
    adopt_epoch(config.epoch, config.primary);
  } else {
    meta_.primary = config.primary;
    write_meta_now();
  }
  in_sync_.accept(config_);
  if (poll_ && poll_->revision < now.revision) poll_.reset();
  for (const auto& m : config.in_sync) learn_run(m);
  learn_run(config.primary);
  const bool is_mine =
      has(mutant::resume_old_epoch) ? config.primary.node == self_.node : config.primary == self_;
  if (role_ == replica_role::primary) {
    meet_peers();
    if (transfer_ && transfer_->is_proposed) {  // the transfer came to nothing
      transfer_.reset();
      out_->push_back(set_accepting{true});
    }
    advance_commit();
  } else if (is_mine && config.epoch == epoch_) {
    become_primary();
  } else if (config.primary.run < run_of(config.primary.node) && !primary_gone_at_) {
    note_primary_gone();
  }
}

/// Whether another than `who` is known to be the primary of that epoch, from the authority or because it was
/// followed, in this life or an earlier one. An authority that was set back and written again may give an
/// epoch to a second one.
bool replica::has_another_primary(std::uint64_t epoch, member who) const {
  return epoch == epoch_ && meta_.primary.run != 0 && !is_same(meta_.primary, who);
}

void replica::refuse_config() {
  ++figures_.refused_configs;
  ++figures_.impossible_configs;
}

/// A run that is in the set had everything, on the disk that it had; the copy may have died before it heard
/// of it. So a disk that was not replaced since that run is sound.
bool replica::is_as_listed(disk_state disk, incarnation since, member listed) {
  return disk == disk_state::blank && since != 0 && since <= listed.run;
}

void replica::adopt_epoch(std::uint64_t epoch, member primary) {
  if (role_ == replica_role::primary) resign_role();
  epoch_ = epoch;
  meta_.epoch = epoch;
  meta_.primary = primary;
  following_ = false;
  leader_ = {};
  leader_commit_ = 0;
  leader_revision_ = 0;
  round_seen_ = 0;
  last_heard_ = now_;
  primary_gone_at_.reset();
  primary_lost_at_.reset();
  has_asked_around_ = false;
  waits_for_config_ = false;
  poll_.reset();
  if (staged_) ++figures_.snapshots_abandoned;
  staged_.reset();
  wants_config_ = config_.config.epoch < epoch;
  write_meta_now();
}

void replica::write_meta_now() { out_->push_back(write_meta{next_number_++, meta_}); }

void replica::write_chunk(const chunk& entries) {
  const auto number = next_number_++;
  log_.append(entries.last, entries.epoch);
  note_unsynced(number, entries.last);
  out_->push_back(write_entries{number, entries});
}

void replica::note_unsynced(std::uint64_t number, std::uint64_t last) {
  if (unsynced_.empty()) disk_progress_at_ = now_;
  unsynced_.push_back({number, last});
}

void replica::truncate(std::uint64_t last) {
  if (last >= log_.last()) return;
  ++figures_.truncations;
  figures_.cut_entries += log_.last() - last;
  log_.truncate(last);
  synced_ = std::min(synced_, last);
  // What was written and then cut must not count when its sync is reported.
  for (auto& w : unsynced_) w.last = std::min(w.last, last);
  out_->push_back(truncate_log{next_number_++, last});
}

message replica::address(member to) const {
  return message{shard_, self_, to, epoch_, config_.revision, release{}};
}

void replica::send_to(member to, message_body&& body) {
  if (to.run == 0) return;  // not met yet
  auto m = address(to);
  m.body = std::move(body);
  out_->push_back(send{std::move(m)});
}

void replica::ask_authority() {
  asked_authority_at_ = now_;
  out_->push_back(read_authority{});
}

void replica::try_config(const shard_config& proposed) {
  out_->push_back(compare_and_set{config_.revision, proposed});
}

/// Unique: a run of a node counts its proposals, and runs are never reused.
uuid replica::make_nonce() {
  uuid nonce;
  const auto node = static_cast<std::uint32_t>(self_.node);
  const auto count = ++nonces_;
  std::memcpy(nonce.bytes.data(), &self_.run, 8);
  std::memcpy(nonce.bytes.data() + 8, &node, 4);
  std::memcpy(nonce.bytes.data() + 12, &count, 4);
  return nonce;
}

bool replica::is_fenced(std::uint64_t revision) const {
  return meta_.fence_revision != 0 && std::max(revision, config_.revision) <= meta_.fence_revision &&
         !has(mutant::no_fence);
}

void replica::on(const compacted& e) {
  TROUPE_ASSERT(e.start >= log_.start() && e.start <= commit_ + 1,
                "compacted to " + std::to_string(e.start) + ": " + describe());
  log_.compact(e.start);
}

void replica::on(const storage_full& e) { is_full_ = e.is_full; }

std::string replica::describe() const {
  const auto number = [](auto n) { return std::to_string(n); };
  const auto name = [&](member m) {
    return number(static_cast<std::uint32_t>(m.node)) + "." + number(m.run);
  };
  std::string out = name(self_) + " shard " + number(shard_) + " epoch " + number(epoch_) + " revision " +
                    number(config_.revision) + " log " + number(log_.start()) + "-" + number(log_.last()) +
                    " synced " + number(synced_) + " commit " + number(commit_) + " fence " +
                    number(meta_.fence_revision) + " disk " + number(static_cast<int>(meta_.disk));
  if (role_ != replica_role::primary)
    return out + (role_ == replica_role::backup ? " backup" : " quarantined") +
           (following_ ? " of " : " behind ") + name(leader_) + (poll_ ? ", polls" : "");
  out += serving_ ? " serves" : " activates";
  if (transfer_) out += ", hands over to " + name(transfer_->to);
  if (in_sync_.has_proposal()) out += ", proposes";
  for (const auto& m : in_sync_.maximal()) out += " [" + name(m) + "]";
  for (const auto& p : peers_)
    out += " {" + name(p.who) + (p.follows ? " match " : " absent ") + number(p.match) + " next " +
           number(p.next) + (p.is_full ? " full" : "") + (is_gone(&p) ? " gone" : "") + "}";
  return out;
}

std::uint64_t replica::needed_from() const {
  auto from = commit_ + 1;
  for (const auto& p : peers_) {
    if (p.follows) from = std::min(from, p.match + 1);
    if (p.snapshot.is_sent) from = std::min(from, p.snapshot.index + 1);
  }
  return from;
}

}  // namespace troupe::replication
