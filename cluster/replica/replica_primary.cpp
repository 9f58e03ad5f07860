#include <algorithm>
#include <limits>
#include <string>

#include "cluster/replica/replica.hpp"
#include "runtime/base/assert.hpp"

namespace troupe::replication {

/// The authority has made this run the primary of this epoch. Its log is the truth from now on (section 7.4).
void replica::become_primary() {
  TROUPE_ASSERT(config_.config.epoch == epoch_ && role_ == replica_role::backup,
                "epoch " + std::to_string(epoch_));
  role_ = replica_role::primary;
  primary_since_ = now_;
  ++figures_.elections;
  serving_ = false;
  following_ = false;
  primary_gone_at_.reset();
  primary_lost_at_.reset();
  poll_.reset();
  staged_.reset();
  transfer_.reset();
  reads_.clear();
  beat_round_ = 0;
  set_has_grown_ = false;
  peers_.clear();
  activation_ = log_.history();
  barrier_ = log_.last() + 1;
  write_chunk({barrier_, barrier_, epoch_, log_.last_epoch(), nullptr});
  meet_peers();
  if (has(mutant::no_barrier)) {
    serving_ = true;
    out_->push_back(serve{epoch_, commit_});
  }
  advance_commit();
}

void replica::resign_role() {
  role_ = replica_role::backup;
  if (!serving_) ++figures_.lost_before_serving;
  reads_.clear();
  peers_.clear();
  transfer_.reset();
  in_sync_.forget_proposals();
  change_is_unknown_ = false;
  if (std::exchange(serving_, false)) out_->push_back(stop_serving{});
}

void replica::on(const propose& e) {
  const chunk& entries = e.entries;
  TROUPE_ASSERT(serving_, "a proposal while not serving");
  TROUPE_ASSERT(entries.first == log_.last() + 1 && entries.last >= entries.first && entries.epoch == epoch_,
                "a proposal at " + std::to_string(entries.first));
  write_chunk(entries);
  for (auto& p : peers_) {
    // A backup that has everything before gets it at once, while the disk here is still busy with it.
    if (!p.follows || p.next != entries.first || entries.last - p.match > options_.window_entries) continue;
    p.next = entries.last + 1;
    p.last_sent = now_;
    append body{commit_, reads_.stamp(), {}};
    body.chunks.push_back(entries);
    send_to(p.who, std::move(body));
  }
}

/// One peer for each node that belongs to the shard or is still in sync; starts over with a node's later run.
void replica::meet_peers() {
  std::vector<node_id> nodes = config_.config.replicas;
  for (const auto& m : in_sync_.maximal()) nodes.push_back(m.node);
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
  std::erase(nodes, self_.node);
  std::erase_if(peers_,
                [&](const peer& p) { return !std::binary_search(nodes.begin(), nodes.end(), p.who.node); });
  for (const auto node : nodes) {
    auto* p = find_peer(node);
    const member current{node, run_of(node)};
    if (p != nullptr && (p->who == current || has(mutant::match_survives))) {
      p->who = current;
      continue;
    }
    peer fresh;
    fresh.who = current;
    fresh.last_ack = fresh.progress_at = now_;
    // A later run has left nothing yet: a process that was started again need not wait to join.
    if (p != nullptr) {
      *p = fresh;
    } else {
      p = &peers_.emplace_back(fresh);
    }
    pump(*p);
  }
}

replica::peer* replica::find_peer(node_id node) {
  for (auto& p : peers_)
    if (p.who.node == node) return &p;
  return nullptr;
}

replica::peer* replica::peer_of(const message& m) {
  if (role_ != replica_role::primary) return nullptr;
  if (m.epoch != epoch_ && !has(mutant::epochless_ack)) {
    ++figures_.old_epoch;
    return nullptr;
  }
  auto* p = find_peer(m.from.node);
  return p != nullptr && is_same(p->who, m.from) ? p : nullptr;
}

void replica::on(const message& m, const append_ack& b) {
  auto* p = peer_of(m);
  if (p == nullptr) return;
  if ((b.match > log_.last() || b.round > reads_.round()) && options_.bug == mutant::none) {
    ++figures_.bad_messages;
    return;
  }
  if (!p->follows) p->next = b.match + 1;
  p->follows = true;
  if (now_ - p->last_ack >= options_.shrink_after) p->progress_at = now_;  // there again
  p->last_ack = now_;
  p->is_full = b.is_full;
  p->is_leaving = p->is_leaving || b.is_leaving;
  p->round = std::max(p->round, b.round);
  if (b.match > p->match) {
    p->match = b.match;
    p->progress_at = now_;
    p->next = std::max(p->next, p->match + 1);
    if (p->snapshot.is_sent && p->match >= p->snapshot.index) p->snapshot = {};
    advance_commit();
  }
  if (p->match == log_.last()) p->progress_at = now_;
  pump(*p);
}

void replica::on(const message& m, const nack& b) {
  if (role_ != replica_role::primary) {
    if (b.why == refusal::newer_epoch) wants_config_ = true;
    return;
  }
  if (b.why == refusal::fenced && b.number >= config_.revision) touch();
  auto* p = peer_of(m);
  if (p == nullptr) return;
  if (b.why == refusal::not_activated) {
    p->follows = false;
    pump(*p);
  } else if (b.why == refusal::gap && p->follows && b.number < p->next) {
    p->last_ack = now_;
    p->next = std::max(b.number, p->match) + 1;
    if (now_ - p->rewound_at >= options_.resend_after / 4) {
      p->rewound_at = now_;
      pump(*p);
    }
  }
}

/// Section 4.5: on the disk of every member of the maximal in-sync set, in this epoch, and not before the
/// barrier. A pure function of the matches (D2).
void replica::advance_commit() {
  if (role_ != replica_role::primary || config_.config.in_sync.size() < config_.config.min_in_sync) {
    if (!has(mutant::no_floor)) return;
    if (role_ != replica_role::primary) return;
  }
  auto common = has(mutant::release_before_commit) ? log_.last() : synced_;
  if (!has(mutant::release_before_commit)) {
    for (const auto& m : in_sync_.maximal()) {
      if (m.node == self_.node && (m == self_ || has(mutant::resume_old_epoch))) continue;
      const auto* p = find_peer(m.node);
      common = std::min(common, p != nullptr && p->follows && is_same(p->who, m) ? p->match : 0);
    }
  }
  if (common < barrier_) return;
  commit_ = std::max(commit_, common);
  if (!serving_) {
    serving_ = true;
    tell_commit();
    out_->push_back(serve{epoch_, barrier_});
    if (transfer_) out_->push_back(set_accepting{false});
  }
}

std::uint64_t replica::confirmed_round() const {
  auto round = std::numeric_limits<std::uint64_t>::max();
  if (has(mutant::unconfirmed_reads)) return round;
  const auto& set = has(mutant::confirm_by_known_set) ? config_.config.in_sync : in_sync_.maximal();
  for (const auto& m : set) {
    if (m == self_) continue;
    const auto p =
        std::find_if(peers_.begin(), peers_.end(), [&](const peer& q) { return is_same(q.who, m); });
    round = std::min(round, p != peers_.end() && p->follows ? p->round : 0);
  }
  return round;
}

void replica::on(const read& e) {
  TROUPE_ASSERT(serving_, "a read while not serving");
  reads_.add(e.ticket, e.index, has(mutant::confirm_by_old_acks));
}

/// Answers the reads that may be answered. Those that came while a round was under way ask the next one.
void replica::release_reads() {
  if (!serving_ || reads_.is_empty()) return;
  const auto confirmed = confirmed_round();
  if (const auto ticket = reads_.release(commit_, confirmed); ticket != 0)
    out_->push_back(reads_released{ticket});
  if (reads_.is_empty() || reads_.wanted() <= confirmed) return;
  if (confirmed >= beat_round_ || set_has_grown_ || now_ - beat_at_ >= options_.resend_after) confirm();
}

/// Asks everybody in sync at once; reads that come meanwhile share the next question.
void replica::confirm() {
  beat_round_ = reads_.stamp();
  set_has_grown_ = false;
  beat_at_ = now_;
  for (auto& p : peers_)
    if (p.follows && is_in(in_sync_.maximal(), p.who)) beat(p);
}

void replica::beat(peer& p) {
  p.last_sent = now_;
  send_to(p.who, append{commit_, reads_.stamp(), {}});
}

/// Sends what the peer lacks and may have, if anything.
void replica::pump(peer& p) {
  if (p.who.run == 0) return;
  if (!p.follows) {
    p.last_sent = now_;
    send_to(p.who, activate{activation_, barrier_, reads_.stamp()});
    return;
  }
  if (p.next > log_.last() || p.is_full) return;
  if (p.next < log_.start()) return pump_snapshot(p);
  if (p.next - 1 - std::min(p.match, p.next - 1) >= options_.window_entries) return;
  const auto first = p.next;
  const auto last = std::min(log_.last(), first + options_.catch_up_entries - 1);
  p.next = last + 1;
  p.last_sent = now_;
  auto m = address(p.who);
  m.body = append{commit_, reads_.stamp(), {}};
  out_->push_back(send_entries{std::move(m), first, last});
}

void replica::pump_snapshot(peer& p) {
  auto& s = p.snapshot;
  if (s.is_sent || (s.is_asked && now_ - s.at < options_.resend_after)) return;
  s.is_asked = true;
  s.at = now_;
  out_->push_back(take_snapshot{p.who.node});
}

void replica::on(const snapshot_taken& e) {
  auto* p = role_ == replica_role::primary ? find_peer(e.receiver) : nullptr;
  if (p == nullptr || !p->follows || e.index + 1 < log_.start() || e.index > commit_ || e.total == 0) return;
  p->snapshot = {true, true, e.index, e.total, e.hash, 0, now_};
  ++figures_.snapshots_sent;
  send_snapshot_part(*p);
}

void replica::send_snapshot_part(peer& p) {
  auto& s = p.snapshot;
  s.at = now_;
  p.last_sent = now_;
  auto m = address(p.who);
  const auto label = has(mutant::snapshot_wrong_index) ? std::max(s.index, log_.last()) : s.index;
  m.body = snapshot_part{label, log_.history_until(label), s.offset, s.total, s.hash, nullptr};
  out_->push_back(send_snapshot{std::move(m)});
}

void replica::on(const message& m, const snapshot_ack& b) {
  auto* p = peer_of(m);
  if (p == nullptr || !p->snapshot.is_sent) return;
  p->last_ack = now_;
  if (b.index != p->snapshot.index && !has(mutant::snapshot_wrong_index)) return;
  p->progress_at = now_;
  if (b.offset >= p->snapshot.total || b.offset == p->snapshot.offset) return;
  p->snapshot.offset = b.offset;
  send_snapshot_part(*p);
}

/// Beats, and repetition of what seems lost.
void replica::tick_peers() {
  for (auto& p : peers_) {
    if (p.who.run == 0) continue;
    if (!p.follows) {
      if (now_ - p.last_sent >= options_.beat) pump(p);
      continue;
    }
    if (p.snapshot.is_sent && now_ - p.snapshot.at >= options_.resend_after) {
      // Its source may have gone meanwhile, then another one is taken.
      if (p.snapshot.index + 1 < log_.start()) {
        p.snapshot = {};
      } else {
        send_snapshot_part(p);
      }
    }
    if (p.match == log_.last()) p.progress_at = now_;
    if (p.next > p.match + 1 && now_ - std::max(p.progress_at, p.rewound_at) >= options_.resend_after) {
      p.rewound_at = now_;
      p.next = p.match + 1;
    }
    pump(p);
    // A tick before it is over, not one after.
    if (now_ - p.last_sent >= options_.beat * 3 / 4) beat(p);
  }
}

}  // namespace troupe::replication
