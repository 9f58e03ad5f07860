#include <algorithm>

#include "cluster/replica/replica.hpp"

namespace troupe::replication {

/// What was written has not been synced for so long.
bool replica::has_disk_hung(moment how_long) const {
  return !unsynced_.empty() && now_ - disk_progress_at_ >= how_long;
}

/// Up to when who makes no progress is to blame for it. A barrier, and what somebody lacks, is sent off the
/// disk here, so not while that does not answer, and then not before as long as progress may take.
moment replica::judged_until() const {
  if (has_disk_hung(options_.slow_after / 2)) return disk_progress_at_;
  return now_ - disk_back_at_ < options_.slow_after ? disk_hung_at_ : now_;
}

/// Whether it has made progress, or has come back, since the disk here does not answer.
bool replica::shows_life(const peer& p) const { return p.progress_at > disk_progress_at_; }

/// A member of the in-sync set that holds commits up or is going to: dead, superseded by a later run, silent,
/// stuck, without room, or about to stop.
bool replica::is_gone(const peer* p) const {
  if (p == nullptr || p->is_leaving || p->is_full) return true;
  // Later, so that one whose connection only broke has the time to say something.
  if (is_lost(p->lost_at, p->last_ack) && now_ - *p->lost_at >= options_.haste * 2) return true;
  if (now_ - p->last_ack >= options_.shrink_after) return true;
  return judged_until() - p->progress_at >= options_.slow_after;
}

/// Section 6: has acknowledged in this epoch with its present run, has something of it on disk, and is not
/// far behind. `current` is its entry in the in-sync set now, run 0 if none. A disk that hangs acknowledges
/// what it had before for ever, and commits would wait for it.
bool replica::is_close(const peer& p, member current) const {
  if (!p.follows || p.who == current || is_gone(&p)) return false;
  if (has_disk_hung(options_.slow_after / 2) && !shows_life(p)) return false;
  if (p.match < barrier_ && !has(mutant::expand_below_barrier)) return false;
  if (log_.last() - p.match > options_.join_lag) return false;
  return !p.has_left || current.run != 0 || now_ - p.left_at >= options_.rejoin_after;
}

/// This epoch's barrier, and what is committed.
bool replica::has_everything(const peer& p) const {
  return p.match >= commit_ && (p.match >= barrier_ || has(mutant::expand_below_barrier));
}

bool replica::may_join(const peer& p) const {
  const auto& now = config_.config;
  return std::binary_search(now.replicas.begin(), now.replicas.end(), p.who.node) &&
         is_close(p, find_node(now.in_sync, p.who.node));
}

/// Who joins next, when it has everything. Commits go on while a copy comes near, so with no pause between
/// them it would never be level; therefore one that is close counts at once, and commit waits for it.
replica::peer* replica::next_to_join() {
  peer* next = nullptr;
  for (auto& p : peers_)
    if (may_join(p) && (next == nullptr || in_sync_.expected() == p.who)) next = &p;
  if (next == nullptr || !has_everything(*next)) {
    if (next != nullptr && in_sync_.expected() != next->who) {
      in_sync_.expect(next->who);
      set_has_grown_ = true;
    }
    return nullptr;
  }
  in_sync_.expect(std::nullopt);
  return next;
}

/// Who was waited for in vain has left, as any other member would have. True when somebody has.
bool replica::drop_lost_joiner() {
  const auto who = in_sync_.expected();
  if (!who) return false;
  auto* p = find_peer(who->node);
  if (p != nullptr && p->who == *who && may_join(*p)) return false;
  if (p != nullptr) {
    p->has_left = true;
    p->left_at = now_;
  }
  in_sync_.expect(std::nullopt);
  advance_commit();
  return true;
}

/// One change at a time: at most one joins and one leaves. Where nobody may leave without falling below the
/// floor, joining first makes it a swap in one write.
void replica::reconsider_set() {
  if (drop_lost_joiner()) return;  // what it held up is committed now, and the next one is not asked for that
  if (transfer_ && transfer_->is_proposed) return;
  if (in_sync_.has_proposal()) {
    // Its answer was lost or is late. Only a greater revision settles it, so force one (row 28).
    if (change_is_unknown_ && now_ - touched_at_ >= options_.election_retry) touch();
    return;
  }
  const auto& now = config_.config;
  auto next = now.in_sync;
  member joins;
  if (const auto* p = next_to_join()) {
    next = with(next, p->who);
    joins = p->who;
    ++figures_.joined;
  }
  for (const auto& m : now.in_sync) {
    if (m == self_ || m.node == joins.node) continue;
    const auto* p = find_peer(m.node);
    const bool superseded = p != nullptr && p->who.run > m.run;
    const bool belongs = std::binary_search(now.replicas.begin(), now.replicas.end(), m.node);
    if (belongs && !superseded && !is_gone(p)) continue;
    if (next.size() <= now.min_in_sync && !has(mutant::no_floor)) continue;
    next = without(next, m.node);
    if (now.in_sync.size() == now.min_in_sync) ++figures_.swaps_at_floor;
    break;
  }
  if (next != now.in_sync) change_set(std::move(next));
}

/// The proposal counts from before it is sent: until the outcome is known, its members' acknowledgements are
/// needed as well as those of the present set (row 5).
void replica::change_set(std::vector<member> next) {
  auto proposed = config_.config;
  for (auto& p : peers_) {
    // A run that has left; that an earlier run of its node leaves says nothing about it.
    const bool was = find_node(proposed.in_sync, p.who.node) == p.who;
    if (was && find_node(next, p.who.node).run == 0) {
      ++figures_.left;
      p.has_left = true;
      p.left_at = now_;
    }
  }
  if (has(mutant::shrink_before_answer) && next.size() < proposed.in_sync.size()) {
    auto early = config_;
    early.config.in_sync = next;
    in_sync_.accept(early);
    in_sync_.propose(config_.revision, next);
  } else if (!has(mutant::expand_after_answer) || next.size() < proposed.in_sync.size()) {
    in_sync_.propose(config_.revision, next);
  } else {
    in_sync_.propose(config_.revision, proposed.in_sync);
  }
  set_has_grown_ = true;
  proposed.in_sync = std::move(next);
  proposed.written_by = make_nonce();
  touched_at_ = now_;
  try_config(proposed);
  if (has(mutant::shrink_before_answer)) advance_commit();
}

/// Writes the config as it is at its present revision: of all requests at that revision at most one wins, so
/// the greater revision that follows settles all of them.
void replica::touch() {
  if (now_ - touched_at_ < options_.resend_after && touched_at_ != moment{}) return;
  touched_at_ = now_;
  ++figures_.touches;
  auto same = config_.config;
  same.written_by = make_nonce();
  in_sync_.propose(config_.revision, same.in_sync);
  try_config(same);
}

void replica::on(const transfer_to& e) {
  if (role_ != replica_role::primary || !serving_ || transfer_ || e.node == self_.node) return;
  if (change_is_unknown_) return;  // the authority does not answer
  const auto* p = find_peer(e.node);
  const bool is_in_sync = p != nullptr && find_node(config_.config.in_sync, e.node) == p->who;
  if (p == nullptr || !p->follows) return;
  if ((is_in_sync && !is_gone(p)) || has(mutant::transfer_to_anyone)) start_transfer(p->who);
}

void replica::on(const resign&) {
  is_resigning_ = true;
  if (role_ == replica_role::backup) acknowledge();  // which says so
  if (role_ != replica_role::primary || transfer_) return;
  if (serving_ && change_is_unknown_) return;  // a later tick does
  const auto to = serving_ ? best_successor() : member{};
  if (to.run != 0) {
    start_transfer(to);
  } else {
    release_peers(peers_);
  }
}

void replica::release_peers(const std::vector<peer>& peers) {
  for (const auto& p : peers) send_to(p.who, release{});
}

member replica::best_successor() const {
  const peer* best = nullptr;
  for (const auto& p : peers_) {
    if (!p.follows || p.is_full || is_gone(&p) || find_node(config_.config.in_sync, p.who.node) != p.who)
      continue;
    if (!std::binary_search(config_.config.replicas.begin(), config_.config.replicas.end(), p.who.node))
      continue;
    if (best == nullptr || p.match > best->match) best = &p;
  }
  return best != nullptr ? best->who : member{};
}

void replica::start_transfer(member to) {
  transfer_ = transfer_state{to, now_ + options_.transfer_patience};
  next_transfer_ = now_ + options_.transfer_patience * 2;
  out_->push_back(set_accepting{false});
}

/// Section 11. Nothing is accepted from here on, so soon the successor has everything; then one write makes
/// it the primary, and until its outcome is known nothing is accepted either, so that a pause is the only
/// cost. An authority that does not answer must not make that pause as long as it is away: then this one goes
/// on, which is safe, since who was deposed without knowing commits nothing.
void replica::tick_transfer() {
  const bool belongs =
      std::binary_search(config_.config.replicas.begin(), config_.config.replicas.end(), self_.node);
  const bool is_due = now_ >= next_transfer_ && !change_is_unknown_;
  if (!transfer_ && serving_ && (is_full_ || is_resigning_ || !belongs) && is_due)
    if (const auto to = best_successor(); to.run != 0) start_transfer(to);
  if (!transfer_ || now_ < transfer_->until) return;
  if (transfer_->is_proposed) {
    ++figures_.transfers_left_open;
    touch();  // forces a revision that tells
  } else if (is_resigning_) {
    release_peers(peers_);
  }
  transfer_.reset();
  out_->push_back(set_accepting{true});
}

/// Section 9: a disk that neither syncs nor fails. Somebody else has on disk what this one has waited for as
/// long as a backup may be stuck, so it is not everybody's. Who does not serve yet cannot tell, since its
/// barrier is sent off its disk, and tries. At the floor whoever comes next cannot do without this disk
/// either, and reads would end, unless it can swap it for another one.
void replica::tick_own_disk() {
  if (!is_disk_stuck() || now_ - std::max(gave_way_at_, primary_since_) < options_.slow_after) return;
  const auto& now = config_.config;
  const bool can_do_without =
      now.in_sync.size() > now.min_in_sync ||
      std::any_of(peers_.begin(), peers_.end(), [this](const peer& p) { return could_be_swapped_in(p); });
  if (!can_do_without) return;
  const bool another_goes_on = std::any_of(peers_.begin(), peers_.end(), [&](const peer& p) {
    if (!p.follows || p.is_leaving || p.is_full || !is_in(now.in_sync, p.who)) return false;
    return serving_ ? p.match >= unsynced_.front().last && !is_gone(&p)
                    : now_ - p.last_ack < options_.shrink_after;
  });
  if (!another_goes_on) return;
  gave_way_at_ = now_;
  ++figures_.stuck_disks;
  release_peers(peers_);
}

/// By who comes next: what it lacks may wait behind the disk here, so it need not be close (is_close). While
/// reads go on that is not tried at random.
bool replica::could_be_swapped_in(const peer& p) const {
  const auto& now = config_.config;
  return p.follows && !is_gone(&p) && (!serving_ || shows_life(p)) && !is_in(now.in_sync, p.who) &&
         p.match + 1 >= log_.start() &&
         std::binary_search(now.replicas.begin(), now.replicas.end(), p.who.node);
}

/// As soon as the successor has everything: nobody is served until it is the primary.
void replica::propose_transfer() {
  if (transfer_->is_proposed || in_sync_.has_proposal()) return;
  const auto* p = find_peer(transfer_->to.node);
  const bool is_ready = has(mutant::transfer_to_anyone) ||
                        (p != nullptr && p->follows && p->who == transfer_->to && p->match == log_.last() &&
                         commit_ == log_.last() && is_in(config_.config.in_sync, p->who));
  if (!is_ready) return;
  auto proposed = config_.config;
  ++proposed.epoch;
  proposed.primary = transfer_->to;
  proposed.written_by = make_nonce();
  transfer_->is_proposed = true;
  transfer_->until = now_ + options_.election_retry;
  try_config(proposed);
}

}  // namespace troupe::replication
