#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cluster/replica/replica.hpp"
#include "test/simulation/stock.hpp"

namespace troupe::simulation {

using replication::epoch_history;

struct log_record {
  std::uint64_t epoch = 0;
  std::uint64_t chain = 0;  // hash of this entry, its epoch and all entries before it
  stock_entry entry;
  bool is_damaged = false;  // its checksum would not fit
};

/// The state after some entry, and where it stands in the log.
struct snapshot_image {
  std::uint64_t index = 0;
  std::uint64_t chain = 0;
  epoch_history history;
  stock state;
};

// One change of one shard's part of the disk.
struct put_entries {
  replication::chunk entries;
};
struct cut_entries {
  std::uint64_t last = 0;
};
struct put_meta {
  replication::replica_meta meta;
};
struct put_stage {
  std::uint64_t index = 0;
  std::uint64_t offset = 0;
  replication::shared_bytes bytes;
};
struct put_snapshot {  // own or installed: the log behind it stays or goes
  std::shared_ptr<const snapshot_image> image;
  bool replaces_log = false;
};
/// With the rows of entries goes that they are committed.
struct put_committed {
  std::uint64_t index = 0;
};

struct disk_change {
  shard_id shard = 0;
  std::uint64_t number = 0;  // of the replica's action; 0: none
  std::variant<put_entries, cut_entries, put_meta, put_stage, put_snapshot, put_committed> what;
};

/// What is stored of one shard.
struct shard_image {
  replication::replica_meta meta;
  std::uint64_t start = 1;  // index of log[0]
  std::vector<log_record> log;
  std::shared_ptr<const snapshot_image> snapshot;  // null: the empty state at 0
  std::uint64_t committed = 0;  // known to be, the log may have ended before it since (lost data)
  std::uint64_t staged_index = 0;
  std::string staged;
  // Checksums would not fit.
  bool meta_is_damaged = false;
  bool snapshot_is_damaged = false;
  bool stage_is_damaged = false;

  void apply(const disk_change& change);
  std::uint64_t last() const { return start + log.size() - 1; }
  /// The chain up to `index`; 0 when it cannot be told any more.
  std::uint64_t chain_at(std::uint64_t index) const;
  const log_record& at(std::uint64_t index) const { return log[index - start]; }
  replication::log_shape shape() const;
};

std::uint64_t chain_of(std::uint64_t before, std::uint64_t epoch, const stock_entry& entry);

/// A node's disk: what has been written, what of it is synced, and the writes in between, in their order. A
/// crash keeps a prefix of those.
struct node_disk {
  std::vector<shard_image> written;
  std::vector<shard_image> synced;
  std::deque<disk_change> unsynced;
  std::size_t syncing = 0;  // how many of them the sync under way covers
  // A sync failed and was taken for done (a mutant): whatever comes behind it is lost with the next crash.
  bool is_stuck = false;
  std::size_t reported = 0;

  void write(disk_change&& change);
  /// The first `count` unsynced changes are on disk.
  void sync(std::size_t count);
  void crash(std::size_t kept);
};

}  // namespace troupe::simulation
