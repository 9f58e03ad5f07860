#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/clock.hpp"
#include "runtime/journal/journal.hpp"

namespace troupe {

/// Entries that follow the last ones, as chunk_writer made them.
struct proposal {
  std::uint64_t first_index = 0;
  std::uint64_t last_index = 0;
  std::uint64_t epoch = 0;
  std::uint64_t previous_epoch = 0;  // of the entry at first_index - 1
  std::string chunk;
  std::size_t awaited = 0;  // entries that somebody waits for
};

/// What decides when a shard's entries are committed and its reads are true: the port between the runtime and
/// the replication protocol. Every function is called on the shard's thread; any of them may call the
/// listener before it returns.
class shard_replica {
 public:
  virtual ~shard_replica() = default;
  /// From here on the listener may be told to serve.
  virtual void start() = 0;
  /// Only while serving.
  virtual void propose(proposal&& entries) = 0;
  /// Something was read from the state after entry `index`. It is true when on_reads_released comes with that
  /// ticket or a later one. Tickets and indexes never go down. Only while serving.
  virtual void read(std::uint64_t ticket, std::uint64_t index) = 0;
  /// As journal_listener.
  virtual void on_synced(std::uint64_t number) = 0;
  virtual void on_applied(std::uint64_t index) = 0;
  /// The time that was asked for has come, or some other.
  virtual void on_tick() = 0;
  virtual void on_storage_full(bool is_full) = 0;
};

class replica_listener {
 public:
  virtual ~replica_listener() = default;
  /// True: this is the primary and will soon serve, so commands wait for that. False: it does not, or not
  /// soon, and those that wait are refused.
  virtual void on_holding(bool holds) = 0;
  /// This is the primary. Everything up to entry `barrier`, the first of `epoch`, is committed; the next
  /// entry comes after it.
  virtual void on_serve(std::uint64_t epoch, std::uint64_t barrier) = 0;
  virtual void on_committed(std::uint64_t index) = 0;
  virtual void on_reads_released(std::uint64_t ticket) = 0;
  /// Another one is the primary: what became of everything uncommitted is not known here.
  virtual void on_stop_serving() = 0;
  /// False while the role is being handed over: what comes waits until it is given up or kept.
  virtual void on_accepting(bool accepts) = 0;
};

/// What a replica is put into. All of it outlives the replica.
struct replica_place {
  shard_id shard = 0;
  recovered_shard found;
  shard_log* log = nullptr;
  const clock_source* clock = nullptr;
  replica_listener* listener = nullptr;
  /// Runs something on the shard's thread, later, unless the shard has ended by then. From any thread.
  std::function<void(std::function<void()>)> post;
  /// Calls on_tick() after about that time, instead of what was asked for before.
  std::function<void(std::chrono::milliseconds)> tick_after;
};

using replica_maker = std::function<std::unique_ptr<shard_replica>(replica_place)>;

}  // namespace troupe
