#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/replica/action.hpp"
#include "cluster/replica/event.hpp"
#include "cluster/replica/in_sync_set.hpp"
#include "cluster/replica/options.hpp"
#include "cluster/replica/read_gate.hpp"

namespace troupe::replication {

enum class replica_role : std::uint8_t { backup = 1, primary = 2, quarantined = 3 };

/// What a restart is made from.
struct durable_state {
  replica_meta meta;
  log_shape log;
  /// Entries up to here are known to be committed, also where the log still has them, and of those up to
  /// `applied` nobody needs to be told.
  std::uint64_t committed = 0;
  std::uint64_t applied = 0;
  /// The first run on this disk, which may have been listed before it wrote anything; 0: not known.
  incarnation disk_since = 0;
};

/// What was refused or went wrong, since the start.
struct replica_figures {
  std::uint64_t foreign = 0;          // messages of or to another run
  std::uint64_t old_epoch = 0;        // messages of an older epoch
  std::uint64_t bad_messages = 0;     // that no correct replica sends
  std::uint64_t refused_configs = 0;  // older than what was seen: the authority was rolled back, or is slow
  std::uint64_t impossible_configs = 0;  // of these, what no authority that was seen before may say
  std::uint64_t elections = 0;
  std::uint64_t elections_by_poll = 0;
  std::uint64_t lost_before_serving = 0;  // elected, and another one elected before it served
  std::uint64_t truncations = 0;
  std::uint64_t cut_entries = 0;
  std::uint64_t snapshots_sent = 0;
  std::uint64_t snapshots_installed = 0;
  std::uint64_t snapshots_abandoned = 0;
  std::uint64_t joined = 0;  // proposals to let one join, or leave, the in-sync set
  std::uint64_t left = 0;
  std::uint64_t swaps_at_floor = 0;
  std::uint64_t touches = 0;
  std::uint64_t polls_fenced = 0;
  std::uint64_t polls_outdone = 0;  // somebody has the longer log
  std::uint64_t polls_waiting = 0;  // for every in-sync copy, because this one's disk is not trusted
  std::uint64_t transfers = 0;
  std::uint64_t transfers_unknown = 0;
  std::uint64_t transfers_left_open = 0;  // no answer for so long that it went on
  std::uint64_t stuck_disks = 0;          // primaries that gave way because theirs did not answer
  std::uint64_t releases = 0;             // heard
  std::uint64_t proofs_of_death = 0;
  std::uint64_t primaries_lost = 0;  // whose connection broke
  std::uint64_t pre_votes_heeded = 0;
};

/// One shard's replica on one node: the protocol of docs/replication.md as a state machine without I/O,
/// threads, allocation of its own in the steady state, or a clock. Whoever owns it calls step() with
/// everything that happens, one event at a time, and then carries out the actions in their order. A restart
/// makes a new one from what is on disk; everything else is lost by design.
///
/// Invariants, with their numbers in docs/replication.md, section 15: replica/I2 an entry is appended by the
/// winner of its epoch only. replica/I4 the maximal in-sync set holds every set the authority may hold in
/// this epoch. replica/I7 commit needs all of that set. replica/I8 nothing committed is truncated.
/// replica/I12 generation, epoch and revision never go down. replica/I15 only a sound copy is elected by its
/// own word.
class replica {
 public:
  replica(shard_id shard, member self, const replica_options& options, durable_state from_disk, moment now);

  void step(moment now, const event& what, actions& out);

  replica_role role() const { return role_; }
  bool is_serving() const { return serving_; }
  /// Nobody is known to have everything, and not all who may know answer: it takes time, or an operator.
  bool is_waiting_for_copies() const { return poll_ && poll_->is_counted; }
  bool is_accepting() const { return serving_ && !transfer_; }
  /// What was written has not been synced for as long as a backup may make no progress.
  bool is_disk_stuck() const { return has_disk_hung(options_.slow_after); }
  /// Somebody's connection broke or is suspected to be dead: a tick is wanted every quarter of `haste`.
  bool is_in_haste() const;
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t commit() const { return commit_; }
  /// On disk here up to this index.
  std::uint64_t synced() const { return synced_; }
  const log_shape& log() const { return log_; }
  const replica_meta& meta() const { return meta_; }
  const stored_config& config() const { return config_; }
  const std::vector<member>& maximal_in_sync() const { return in_sync_.maximal(); }
  member self() const { return self_; }
  /// Entries from here on may still be wanted by a backup; those before are fetched as a snapshot.
  std::uint64_t needed_from() const;
  const replica_figures& figures() const { return figures_; }
  /// One line for a log.
  std::string describe() const;

 private:
  /// What a primary knows of one other replica, in this epoch.
  struct peer {
    member who;            // run 0: not met yet
    bool follows = false;  // has acknowledged in this epoch: its log is the beginning of this one
    bool is_full = false;
    bool is_leaving = false;
    std::uint64_t match = 0;
    std::uint64_t next = 1;
    std::uint64_t round = 0;
    moment last_ack{};
    moment last_sent{};
    moment progress_at{};  // match grew, or there was nothing to do
    moment rewound_at{};
    moment left_at{};               // the in-sync set
    std::optional<moment> lost_at;  // the connection broke
    bool has_left = false;
    struct {
      bool is_asked = false;  // for a snapshot to be taken
      bool is_sent = false;
      std::uint64_t index = 0, total = 0, hash = 0, offset = 0;
      moment at{};
    } snapshot;
  };
  struct written {
    std::uint64_t number = 0;
    std::uint64_t last = 0;
  };
  struct waiting_poll {
    std::uint64_t number = 0;
    member asker;
    std::uint64_t nonce = 0;
  };
  struct staged_snapshot {
    std::uint64_t index = 0, total = 0, hash = 0, received = 0, running_hash = 0;
    epoch_history history;
  };
  struct own_poll {
    std::uint64_t revision = 0;
    std::uint64_t nonce = 0;
    std::uint64_t fence_number = 0;
    bool fence_is_down = false;
    bool is_counted = false;  // as waiting
    moment since{};
    moment asked_at{};
    std::vector<std::pair<node_id, poll_answer>> answers;
  };
  struct transfer_state {
    member to;
    moment until{};
    bool is_proposed = false;
    bool is_new = true;  // of this very step
  };

  // replica.cpp: what all roles share
  void on(const tick&);
  void on(const received& e);
  void on(const disk_done& e);
  void on(const config_read& e);
  void on(const cas_done& e);
  void on(const peer_seen& e);
  void learn_run(member who);
  void note_primary_gone();
  void on(const peer_lost& e);
  void on(const propose& e);
  void on(const read& e);
  void on(const compacted& e);
  void on(const snapshot_taken& e);
  void on(const transfer_to& e);
  void on(const resign&);
  void on(const storage_full& e);
  void tell_commit();
  bool is_for_me(const message& m);
  bool has_another_primary(std::uint64_t epoch, member who) const;
  void refuse_config();
  void accept_config(const stored_config& now);
  /// `primary`: of it, where that is known.
  void adopt_epoch(std::uint64_t epoch, member primary = {});
  void write_meta_now();
  void write_chunk(const chunk& entries);
  void note_unsynced(std::uint64_t number, std::uint64_t last);
  void truncate(std::uint64_t last);
  void send_to(member to, message_body&& body);
  message address(member to) const;
  void ask_authority();
  void try_config(const shard_config& proposed);
  uuid make_nonce();
  incarnation run_of(node_id node) const;
  bool is_same(member a, member b) const;
  bool is_in(const std::vector<member>& members, member who) const;
  bool has(mutant bug) const { return options_.bug == bug; }
  bool is_fenced(std::uint64_t revision) const;
  static bool is_as_listed(disk_state disk, incarnation since, member listed);

  // replica_backup.cpp
  void on(const message& m, const activate& b);
  void on(const message& m, const append& b);
  void on(const message& m, const poll& b);
  void on(const message& m, const release&);
  void on(const message& m, const suspicion&);
  void on(const message& m, const snapshot_part& b);
  bool follow(const message& m);
  bool reconcile(const activate& b);
  bool take_chunk(const chunk& entries);
  void acknowledge();
  void advance_backup_commit();
  void answer_polls(std::uint64_t done);
  void finish_snapshot();
  void leave_fork();
  void set_quarantine(std::uint64_t cut, bool is_fork);

  // replica_primary.cpp
  void become_primary();
  void resign_role();
  void on(const message& m, const append_ack& b);
  void on(const message& m, const nack& b);
  void on(const message& m, const snapshot_ack& b);
  void meet_peers();
  peer* find_peer(node_id node);
  peer* peer_of(const message& m);
  void advance_commit();
  std::uint64_t confirmed_round() const;
  void release_reads();
  void confirm();
  void beat(peer& p);
  void pump(peer& p);
  void pump_snapshot(peer& p);
  void send_snapshot_part(peer& p);
  void tick_peers();

  // replica_change.cpp: the in-sync set, transfer
  void reconsider_set();
  bool has_disk_hung(moment how_long) const;
  moment judged_until() const;
  bool shows_life(const peer& p) const;
  bool is_gone(const peer* p) const;
  bool is_close(const peer& p, member current) const;
  bool has_everything(const peer& p) const;
  bool may_join(const peer& p) const;
  peer* next_to_join();
  bool drop_lost_joiner();
  void change_set(std::vector<member> next);
  void touch();
  void start_transfer(member to);
  void release_peers(const std::vector<peer>& peers);
  void tick_transfer();
  void tick_own_disk();
  bool could_be_swapped_in(const peer& p) const;
  void propose_transfer();
  member best_successor() const;

  // replica_election.cpp
  void tick_election();
  bool is_electable() const;
  /// Whether a connection broke at that time, and nothing has been heard since but what was under way.
  bool is_lost(const std::optional<moment>& at, moment last_word) const;
  std::optional<moment> suspected_since() const;
  bool are_all_restarted() const;
  std::size_t rank() const;
  void stand();
  void start_poll();
  void tick_poll();
  void on(const message& m, const poll_answer& b);
  void on(const message& m, const heard_lately&);
  void decide_poll();

  const shard_id shard_;
  const member self_;
  const replica_options options_;
  moment now_{};
  actions* out_ = nullptr;

  replica_meta meta_;
  log_shape log_;
  std::uint64_t synced_ = 0;
  std::uint64_t next_number_ = 1;
  std::deque<written> unsynced_;
  moment disk_progress_at_{};  // something was synced, or there was nothing to sync
  moment disk_hung_at_{};      // the latest hang, and its end
  moment disk_back_at_{};

  replica_role role_ = replica_role::backup;
  std::uint64_t epoch_ = 0;
  std::uint64_t commit_ = 0;
  std::uint64_t told_commit_ = 0;
  stored_config config_;
  in_sync_set in_sync_;
  std::vector<member> runs_;  // the newest known run of each node
  std::uint32_t nonces_ = 0;
  moment asked_authority_at_{};
  bool is_full_ = false;
  bool wants_config_ = false;

  // backup
  bool following_ = false;  // this log is the beginning of the primary's, in this epoch
  member leader_;
  std::uint64_t leader_revision_ = 0;
  std::uint64_t leader_commit_ = 0;
  std::uint64_t round_seen_ = 0;
  moment last_heard_{};
  std::optional<moment> primary_gone_at_;  // it said so, or a later run of its node was seen
  std::uint64_t commit_when_gone_ = 0;     // what was known of its commit then
  std::optional<moment> primary_lost_at_;  // the connection broke
  std::vector<waiting_poll> waiting_polls_;
  std::optional<staged_snapshot> staged_;

  // election
  bool has_asked_around_ = false;
  bool waits_for_config_ = false;
  moment next_attempt_{};
  std::optional<own_poll> poll_;

  // primary
  bool serving_ = false;
  std::uint64_t barrier_ = 0;
  epoch_history activation_;  // below the barrier
  std::vector<peer> peers_;
  read_gate reads_;
  std::uint64_t beat_round_ = 0;
  bool set_has_grown_ = false;  // since then: somebody counts who was not asked
  moment beat_at_{};
  std::optional<transfer_state> transfer_;
  moment next_transfer_{};
  moment touched_at_{};
  moment primary_since_{};
  moment gave_way_at_{};
  bool is_resigning_ = false;
  bool change_is_unknown_ = false;

  replica_figures figures_;
};

/// The hash that snapshot_part and snapshot_taken carry: over pieces of `piece` bytes, so that a receiver can
/// compute it while they arrive.
std::uint64_t snapshot_hash(std::string_view whole, std::size_t piece);

}  // namespace troupe::replication
