#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/base/clock.hpp"
#include "runtime/host/shard_replica.hpp"
#include "runtime/host/work.hpp"
#include "runtime/outbox/outbox.hpp"
#include "runtime/session/named_commands.hpp"
#include "runtime/store/store.hpp"
#include "runtime/timer/timer_queue.hpp"

namespace troupe {

struct shard_options {
  std::size_t batch_max = 256;                // messages that an entity runs in one go
  std::size_t queued_max = 65'536;            // commands waiting in this shard
  std::size_t queued_bytes_max = 16U << 20U;  // and what they carry
  std::size_t uncommitted_entries_max = 4096;
  std::size_t uncommitted_bytes_max = 16U << 20U;
  // Several times what waits while the applier keeps up; past it entities wait for the applier.
  std::size_t unapplied_entries_max = 131'072;
  std::size_t unapplied_bytes_max = 128U << 20U;
  std::size_t gated_replies_max = 65'536;  // that wait for commit
  std::size_t resident_max = 400;          // entities in memory, unless all of them are busy
  std::chrono::milliseconds housekeeping_delay{50};
  /// Outbox messages leave at once after a pause, and at most this often under load: many in one message cost
  /// little more than one. Acknowledgements are in no hurry; they only free memory.
  std::chrono::milliseconds delivery_interval{20};
  std::chrono::milliseconds acknowledgement_delay{50};
  std::chrono::milliseconds sweep_interval{1000};
  /// Messages to another shard that nothing was heard of are sent again: the way there may have lost them.
  std::chrono::milliseconds resend_after{2000};
  /// What comes while nobody has said who the primary is waits for it, because this is the only replica.
  bool is_only_replica = true;
};

/// The way to an entity's actor. Dropping the link passivates the entity.
class entity_link {
 public:
  virtual ~entity_link() = default;
  virtual void run(std::shared_ptr<run_batch> batch) = 0;
};

/// What a shard needs of the world. Implemented over CAF by the host, and by tests.
class shard_ports {
 public:
  virtual ~shard_ports() = default;
  /// `entity` outlives the link.
  virtual std::unique_ptr<entity_link> activate(const kind_descriptor& kind, const entity_ref& entity) = 0;
  virtual void send_replies(std::uint32_t front, std::vector<ticketed_reply>&& replies) = 0;
  virtual void send_parcels(shard_id to, parcel_batch&& parcels) = 0;
  virtual void send_acknowledgements(shard_id to, std::vector<send_id>&& ids) = 0;
  /// Calls shard::on_wake() after about `delay`. It may also be called without having been asked for.
  virtual void wake_after(std::chrono::milliseconds delay) = 0;
  /// To the shard's replica.
  virtual void propose(proposal&& entries) = 0;
  virtual void read(std::uint64_t ticket, std::uint64_t index) = 0;
};

/// What a shard has done; written by its thread, read by anybody.
struct shard_figures {
  std::atomic<std::uint64_t> commands{0}, queries{0}, rejections{0}, overloaded{0}, replays{0}, entries{0},
      activations{0}, passivations{0}, timers_fired{0}, parcels_sent{0}, parcels_received{0},
      parcels_unknown{0}, failures{0};
  std::atomic<std::uint64_t> residents{0}, queued{0}, named{0}, last_index{0}, committed{0}, applied{0};
};

/// One entity in memory, as its shard sees it.
struct resident {
  const entity_ref* ref = nullptr;
  const kind_descriptor* kind = nullptr;
  std::unique_ptr<entity_link> link;
  work_queue queue;
  bool is_running = false;
  bool is_ready = false;  // in the shard's list of those with something to run
  std::uint64_t batches = 0;
  std::uint64_t applied_batch = 0;
  std::uint64_t told_applied_batch = 0;  // what the entity knows of it
  std::uint64_t last_index = 0;          // of the last entry it made
  std::chrono::steady_clock::time_point used_at{};
  std::list<resident*>::iterator by_use;
};

/// The primary of one shard: takes commands, runs each at most once, orders what changed into the log, and
/// lets nothing out before it is committed. No threads, no CAF and no clock of its own: the actor around it
/// calls one on_… function after the other and finish_round() after one or some. Until its replica lets it
/// serve, and its rows are those of everything committed before, what comes waits. One that has had to stop
/// serving does nothing more: its entities have run ahead of the commit, so the next life is another shard.
///
/// Invariants. shard/S1: a reply is sent when commit >= the last entry that it could depend on, and one that
/// made no entry when its replica has confirmed it as a read (output gate).
/// shard/S2: a named command makes at most one entry. shard/S3: a resident with queued, running or unapplied
/// work is never passivated, so activation from the store sees everything. shard/S4: queued commands, entries
/// that are not committed or not applied, and replies that wait are bounded; past the bound the answer is
/// `overloaded`, and nothing has run.
class shard final : public replica_listener {
 public:
  /// The rows are the state after entry `applied`.
  shard(shard_id id, const shard_options& options, const kind_registry& kinds, const store& stored,
        const clock_source& clock, shard_ports& ports, shard_figures& figures, std::uint64_t seed,
        std::uint64_t applied);

  /// Answers `stopping` to new commands from now on.
  void stop_accepting() { is_stopping_ = true; }
  /// While set, commands are refused as `storage_full`; queries go on.
  void set_storage_full(bool full) { storage_full_ = full; }
  /// Nothing queued, running or waiting for commit.
  bool is_quiet() const;
  /// It has stopped serving.
  bool is_deposed() const { return is_deposed_; }
  /// And no entity is at work any more, so it may go.
  bool has_ended() const { return is_deposed_ && running_batches_ == 0; }
  /// The rows are the state after this entry.
  std::uint64_t applied() const { return applied_; }

  void on_commands(std::uint32_t front, std::vector<ticketed_command>&& commands);
  void on_batch_done(run_batch& batch);
  void on_holding(bool holds) override;
  void on_serve(std::uint64_t epoch, std::uint64_t barrier) override;
  void on_committed(std::uint64_t index) override;
  void on_reads_released(std::uint64_t ticket) override;
  void on_stop_serving() override;
  void on_accepting(bool accepts) override;
  void on_applied(std::uint64_t index);
  void on_parcels(parcel_batch&& parcels);
  void on_acknowledged(shard_id by, const std::vector<send_id>& ids);
  void on_wake();
  /// Ends the handling of one or more messages: appends, sends and schedules what they led to.
  void finish_round();

 private:
  struct gated_reply {
    std::uint64_t index;
    reply_address to;
    reply what;
  };
  /// Answers that made no entry: true when the replica has confirmed the ticket.
  struct pending_read {
    std::uint64_t ticket;
    reply_address to;
    reply what;
  };
  struct gated_effects {
    std::uint64_t index;
    std::vector<outbound> sends;
    shard_id ack_to = 0;
    send_id ack_id;
    bool acks = false;
    peer_sends arrived;
  };

  void start_when_ready();
  void take_early();
  void refuse_early();
  void hold(std::uint32_t front, ticketed_command&& command);
  bool may_hold() const;
  void refuse_as_deposed(std::vector<work>& items);
  bool has_room_for(const command& what) const;
  void take_up_stored_work();
  timestamp now();
  void accept(std::uint32_t front, ticketed_command&& in, std::chrono::steady_clock::time_point now);
  bool answer_known(const reply_address& to, const command& what);
  resident& resident_of(const kind_descriptor& kind, const entity_ref& ref);
  void enqueue(resident& to, work&& item);
  void make_ready(resident& r);
  void run_ready();
  std::vector<work> take_runnable(resident& r, std::size_t count);
  bool window_is_open() const;

  void finish(resident& r, work& item);
  void log_entry(resident& r, work& item);
  void record_timers(resident& r, work& item, std::uint64_t index);
  std::uint64_t append(std::string_view entry);
  void send(const reply_address& to, reply&& what);
  void answer_entry(const reply_address& to, reply&& what, std::uint64_t index);
  void answer_read(const reply_address& to, reply&& what, std::uint64_t depends_on);
  void propose_chunk();
  void open_gate();
  void release_effects(gated_effects& out);
  void append_housekeeping();
  void send_replies();
  void deliver();
  void acknowledge();
  void fire_timers();
  void sweep(std::chrono::steady_clock::time_point now);
  void tell_applied(resident& r);
  bool may_passivate(const resident& r) const;
  void passivate(resident& r);
  void make_room();
  void schedule(std::chrono::steady_clock::time_point now);

  const shard_id id_;
  const shard_options options_;
  const kind_registry& kinds_;
  const store& store_;
  const clock_source& clock_;
  shard_ports& ports_;
  shard_figures& figures_;
  std::mt19937_64 random_;

  std::unordered_map<entity_ref, resident> residents_;
  std::list<resident*> by_use_;  // least recently used first
  std::deque<resident*> ready_;
  named_commands named_;
  timer_queue timers_;
  outbox outbox_;
  receipts receipts_;

  chunk_writer chunk_;
  std::size_t awaited_ = 0;  // entries of the chunk that a client waits for
  std::uint64_t epoch_ = 0;  // 0: not the primary
  std::uint64_t barrier_ = 0;
  bool is_holding_ = false;  // commands, until it serves
  bool is_serving_ = false;
  bool is_accepting_ = true;
  bool is_deposed_ = false;
  std::vector<std::pair<std::uint32_t, ticketed_command>> early_commands_;  // until it serves
  std::vector<parcel_batch> early_parcels_;
  std::uint64_t last_index_ = 0;
  std::uint64_t committed_ = 0;
  std::uint64_t applied_ = 0;
  // When its time was that of the wall clock last; see now().
  timestamp stamped_;
  std::chrono::steady_clock::time_point stamped_at_;
  std::deque<std::pair<std::uint64_t, std::size_t>> uncommitted_;  // last index and bytes of appended chunks
  std::size_t uncommitted_bytes_ = 0;
  std::deque<std::pair<std::uint64_t, std::size_t>> unapplied_;  // the same, until applied
  std::size_t unapplied_bytes_ = 0;
  std::deque<gated_reply> gated_replies_;
  std::deque<pending_read> pending_reads_;
  std::uint64_t read_ticket_ = 1;  // of the reads of this round
  std::uint64_t read_index_ = 0;   // what they depend on
  bool has_reads_to_confirm_ = false;
  std::deque<gated_effects> gated_effects_;
  std::deque<std::pair<std::uint64_t, std::pair<resident*, std::uint64_t>>> unapplied_batches_;

  std::vector<std::vector<ticketed_reply>> outgoing_replies_;  // by front
  std::unordered_map<shard_id, std::vector<send_id>> outgoing_acks_;
  std::size_t queued_ = 0;
  std::size_t queued_bytes_ = 0;     // of commands, those that came early included
  std::size_t running_ = 0;          // messages that entities are at work on
  std::size_t running_batches_ = 0;  // the batches that these are in
  bool is_stopping_ = false;
  bool storage_full_ = false;
  bool outbox_changed_ = false;
  std::chrono::steady_clock::time_point housekeeping_at_{};  // zero: nothing to log
  std::chrono::steady_clock::time_point next_delivery_{};
  std::chrono::steady_clock::time_point acknowledge_at_{};  // zero: nothing to acknowledge
  std::chrono::steady_clock::time_point sweep_at_{};
  std::chrono::steady_clock::time_point wake_at_{};
};

}  // namespace troupe
