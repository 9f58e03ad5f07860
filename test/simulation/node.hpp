#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "cluster/replica/replica.hpp"
#include "test/simulation/disk.hpp"
#include "test/simulation/judge.hpp"
#include "test/simulation/random.hpp"
#include "test/simulation/scenario.hpp"

namespace troupe::simulation {

class simulation;

struct request {
  std::uint16_t client = 0;
  command what;
  std::uint64_t attempt = 0;
};

enum class verdict : std::uint8_t { answered, rejected_here, unknown, failed, storage_full };

/// One process: its replicas, its disk, its clock, and of each shard the stock that the replica's log makes.
class node {
 public:
  node(simulation& world, std::uint8_t number, std::uint64_t seed);

  void start();
  void stop(std::size_t kept_changes);
  bool is_up() const { return is_up_; }
  member self() const { return self_; }
  std::uint8_t number() const { return number_; }
  std::uint32_t life() const { return life_; }

  void step(shard_id shard, const replication::event& what);
  void on_tick();
  void on_sync();
  void on_request(const request& what, shard_id shard);
  void flush(shard_id shard);
  void schedule_tick();

  const replication::replica* replica_of(shard_id shard) const {
    return is_up_ ? parts_[shard].replica.get() : nullptr;
  }
  node_disk& disk() { return disk_; }
  const node_disk& disk() const { return disk_; }
  const shard_image& view(shard_id shard) const { return disk_.written[shard]; }

  // Faults.
  instant paused_until = 0;
  instant slow_disk_until = 0;
  instant full_until = 0;
  bool next_sync_fails = false;
  bool next_stage_is_damaged = false;  // the next piece of a snapshot that is put aside
  std::vector<incarnation> lost_run;   // by shard: the last run whose synced data was lost; 0: none
  /// By shard: the first run on this disk, which the node knows before its replica has written anything; 0:
  /// there has been none.
  std::vector<incarnation> disk_since;
  double clock_rate = 1;
  instant clock_offset = 0;
  void set_full(bool full);
  void forget_first_run(shard_id shard);

 private:
  struct waiting_write {
    std::uint64_t index = 0;
    request by;
    reply answer;
  };
  struct waiting_read {
    std::uint64_t ticket = 0;
    judge::seen_state seen;
    bool is_repeat = false;  // of a command whose reply is known
    request by;
    reply answer;
  };
  struct outgoing_snapshot {
    std::shared_ptr<const std::string> bytes;
    std::uint64_t index = 0;
  };
  /// One shard's part of the process.
  struct part {
    std::unique_ptr<replication::replica> replica;
    stock applied;
    std::uint64_t applied_index = 0;
    std::uint64_t compacted_at = 0;
    // as primary
    bool is_serving = false;
    bool is_accepting = false;
    stock working;  // applied, and everything proposed
    std::uint64_t working_index = 0;
    std::array<std::uint64_t, sku_count> sku_index{};  // the last entry that touched it; at first the barrier
    std::array<std::uint64_t, client_max> client_index{};  // of the client's last command
    std::uint64_t read_index = 0;                          // the largest that a read depended on
    std::uint64_t epoch = 0;
    std::string pending;  // encoded entries that wait to be proposed together
    std::uint64_t pending_count = 0;
    bool flush_is_scheduled = false;
    std::deque<waiting_write> writes;
    std::deque<waiting_read> reads;
    std::uint64_t next_ticket = 1;
    std::array<outgoing_snapshot, 5> outgoing;
    std::uint64_t written = 0, on_disk = 0;  // numbers of the replica's writes
    // Entries are read off the disk, so they wait for what was written before them.
    std::deque<std::pair<std::uint64_t, replication::send_entries>> unsent;
    std::array<std::uint32_t, client_max> known_at_start{};  // newest command of each client then
  };

  replication::moment local_now() const;
  replication::durable_state recover(shard_id shard);
  void carry_out(shard_id shard, replication::actions& actions);
  void carry_out(shard_id shard, replication::send& a);
  void carry_out(shard_id shard, replication::send_entries& a);
  void carry_out(shard_id shard, replication::send_snapshot& a);
  void carry_out(shard_id shard, replication::write_entries& a);
  void carry_out(shard_id shard, replication::truncate_log& a);
  void carry_out(shard_id shard, replication::write_meta& a);
  void carry_out(shard_id shard, replication::stage_snapshot& a);
  void carry_out(shard_id shard, replication::install_snapshot& a);
  void carry_out(shard_id shard, replication::take_snapshot& a);
  void carry_out(shard_id shard, replication::compare_and_set& a);
  void carry_out(shard_id shard, replication::read_authority& a);
  void carry_out(shard_id shard, replication::committed& a);
  void carry_out(shard_id shard, replication::serve& a);
  void carry_out(shard_id shard, replication::stop_serving& a);
  void carry_out(shard_id shard, replication::set_accepting& a);
  void carry_out(shard_id shard, replication::reads_released& a);
  void carry_out(shard_id shard, replication::quarantined& a);

  void write_disk(disk_change&& change);
  void send_from_log(shard_id shard, replication::send_entries& a);
  void begin_sync();
  void apply_until(shard_id shard, std::uint64_t index);
  void maybe_compact(shard_id shard);
  void answer_writes(shard_id shard);
  void answer(const request& to, shard_id shard, verdict how, const reply& what, std::uint64_t index);

  simulation& world_;
  const std::uint8_t number_;
  random_stream random_;
  member self_;
  bool is_up_ = false;
  std::uint32_t life_ = 0;
  bool sync_is_running_ = false;
  node_disk disk_;
  std::vector<part> parts_;
  std::uint64_t polls_won_before_ = 0;  // of the replica that is being stepped
  std::vector<replication::actions> spare_actions_;
  std::deque<std::pair<shard_id, replication::event>> inner_;  // events that an action led to at once
  bool is_stepping_ = false;
};

}  // namespace troupe::simulation
