#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "cluster/authority/authority.hpp"
#include "cluster/replica/replica.hpp"
#include "cluster/replica_host/authority_reader.hpp"
#include "cluster/replica_host/replica_peers.hpp"
#include "runtime/host/shard_replica.hpp"
#include "runtime/journal/snapshot_source.hpp"

namespace troupe {

/// What the replicas of a node share. All of it outlives them.
struct replica_environment {
  authority* decides = nullptr;
  authority_reader* reader = nullptr;
  member self;
  incarnation disk_since = 0;  // the first run on this disk; 0: not known
  replication::replica_options options;

  // Only where a shard has replicas on other nodes; else the process ends when the protocol asks for one.
  replica_peers* peers = nullptr;
  shard_history* history = nullptr;
  /// Measures snapshots, on a thread of its own.
  std::function<void(std::function<void()>)> in_background{};
  /// Reads old entries, on another one: who is in sync may wait for them, and nobody waits for a snapshot.
  std::function<void(std::function<void()>)> in_reader{};
  std::size_t message_bytes_max = 1U << 20U;  // of entries; one that is larger goes alone
  std::size_t piece_bytes = 256U << 10U;      // of a snapshot
};

/// How far one replica is, for whoever wants to know; written by the shard's thread, read by anybody.
struct replica_progress {
  std::atomic<bool> is_primary{false};
  std::atomic<bool> is_serving{false};
  std::atomic<bool> is_waiting_for_copies{false};                // as replica::is_waiting_for_copies()
  std::atomic<bool> is_quarantined{false};                       // takes part in nothing
  std::atomic<bool> is_disk_stuck{false};                        // as replica::is_disk_stuck()
  std::atomic<std::uint64_t> last{0}, committed{0}, applied{0};  // entries
  std::atomic<std::uint64_t> refused{0};  // words of the authority or of other replicas that cannot be true
};

/// Carries out what the protocol decides for one shard: writes to the node's log, asks the authority, tells
/// the shard, sends to its other replicas. Lives on the shard's thread.
class replica_host final : public shard_replica {
 public:
  /// `place.found` has been looked at by refuse_replica().
  replica_host(replica_place place, const replica_environment& environment);

  void start() override;
  void propose(proposal&& entries) override;
  void read(std::uint64_t ticket, std::uint64_t index) override;
  void on_synced(std::uint64_t number) override;
  void on_applied(std::uint64_t index) override;
  void on_tick() override;
  void on_storage_full(bool is_full) override;

  /// From a replica on another node. Entries that are damaged, or are not the ones that they are sent as, are
  /// refused: the message is dropped and counted.
  void receive(replication::message&& what);
  std::uint64_t damaged() const { return damaged_; }
  const replica_progress& progress() const { return progress_; }
  /// That run of another node exists.
  void on_peer(member who);
  void on_peer_lost(member who);
  /// What the authority holds, not asked for.
  void on_config(const stored_config& now);
  /// What the authority held last, as far as this replica believes it.
  const stored_config& config() const { return core_.config(); }
  /// This process is going to stop: another one is to be the primary.
  void resign();
  /// That node is to be the primary, if it is in sync.
  void hand_over(node_id to);

 private:
  void step(const replication::event& what);
  void carry_out(const replication::write_entries& a);
  void carry_out(const replication::truncate_log& a);
  void carry_out(const replication::write_meta& a);
  void carry_out(const replication::compare_and_set& a);
  void carry_out(const replication::read_authority& a);
  void carry_out(const replication::committed& a);
  void carry_out(const replication::serve& a);
  void carry_out(const replication::stop_serving& a);
  void carry_out(const replication::reads_released& a);
  void carry_out(const replication::send& a);
  void carry_out(const replication::send_entries& a);
  void carry_out(const replication::take_snapshot& a);
  void carry_out(const replication::send_snapshot& a);
  void carry_out(const replication::stage_snapshot& a);
  void carry_out(const replication::install_snapshot& a);
  void carry_out(const replication::set_accepting& a);
  void carry_out(const replication::quarantined& a);
  void write(log_write&& what);
  void give_way();
  void send_from_log(const replication::send_entries& what);
  void send_what_waited();
  void tick_soon();
  void follow_role();
  void publish();
  void follow_log_start();
  void forget_old_snapshots();
  std::uint64_t refusals() const;
  void report_refusals();

  replica_place place_;
  const replica_environment& environment_;
  std::uint64_t applied_ = 0;    // the rows show entries up to here
  std::uint64_t compacted_ = 0;  // what the protocol was told last
  replication::replica core_;
  replication::actions actions_;
  replica_progress progress_;
  std::size_t awaited_ = 0;  // of the proposal at hand
  bool is_serving_ = false;  // the shard has been told to
  bool is_holding_ = false;  // the shard has been told that it will
  replication::moment elected_at_{};
  std::uint64_t written_ = 0;  // the number of the last write
  std::uint64_t synced_ = 0;   // of those on disk
  struct waiting_entries {
    std::uint64_t number = 0;
    replication::send_entries what;
  };
  // Entries, for whom and from where; up to which they were asked for meanwhile.
  std::map<std::pair<node_id, std::uint64_t>, std::uint64_t> being_read_;
  std::set<node_id> being_taken_;                                // snapshots, for whom
  std::deque<waiting_entries> waiting_;                          // for what was written before them
  std::map<node_id, std::shared_ptr<snapshot_source>> sources_;  // by receiver
  std::uint64_t damaged_ = 0;                                    // messages
  std::uint64_t next_report_ = 1;                                // refusals
};

/// Why a replica cannot be made of that; empty when it can.
std::string refuse_replica(const recovered_shard& found);
/// The same of all shards of a directory.
std::optional<store_error> refuse_replicas(const std::vector<recovered_shard>& found);

}  // namespace troupe
