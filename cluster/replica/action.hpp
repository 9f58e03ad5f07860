#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "cluster/replica/message.hpp"

namespace troupe::replication {

/// What a replica has to find again after a restart, beside its log and its snapshot.
struct replica_meta {
  std::uint64_t generation = 0;
  std::uint64_t epoch = 0;           // the newest seen
  std::uint64_t revision = 0;        // of the newest config seen
  std::uint64_t fence_revision = 0;  // a poll at that revision was answered
  disk_state disk = disk_state::blank;
  incarnation disk_since = 0;  // the run that found it blank; 0: not known any more
  /// The primary of `epoch`, no run: not known. An authority that was set back and goes on may give an epoch
  /// to another one, whose entries have the same names and are others.
  member primary{};
  friend bool operator==(const replica_meta&, const replica_meta&) = default;
};

struct send {
  message what;
};
/// `what` is an append without entries: add those from `first` to `last` out of the log, and send it.
struct send_entries {
  message what;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};
/// `what` is a snapshot_part without bytes: add them, from its offset, and send it.
struct send_snapshot {
  message what;
};

// The disk. Numbers count up; what is numbered reaches the disk in that order, and disk_done tells how far.
// Every numbered action is synced without being asked again. A write or sync that fails ends the process.
struct write_entries {
  std::uint64_t number = 0;
  chunk entries;
};
/// Drops the entries behind `last`.
struct truncate_log {
  std::uint64_t number = 0;
  std::uint64_t last = 0;
};
struct write_meta {
  std::uint64_t number = 0;
  replica_meta meta;
};
/// Puts a piece aside; offset 0 drops what was put aside before. A restart drops it too.
struct stage_snapshot {
  std::uint64_t number = 0;
  std::uint64_t index = 0;
  std::uint64_t offset = 0;
  shared_bytes bytes;
};
/// In one write: what was put aside is the state after entry `index`, and the log is empty behind it.
struct install_snapshot {
  std::uint64_t number = 0;
  std::uint64_t index = 0;
  epoch_history history;
};

/// Keep a snapshot at hand for that node, and say so with snapshot_taken.
struct take_snapshot {
  node_id receiver = node_id::none;
};

struct compare_and_set {
  std::uint64_t expected_revision = 0;
  shard_config proposed;
};
/// Answered by config_read, also when nothing has changed.
struct read_authority {};

/// Entries up to `index` are committed. They may be applied, and what depends on them may leave.
struct committed {
  std::uint64_t index = 0;
};
/// This is the primary: everything up to `barrier` is committed; the next entry comes after it.
struct serve {
  std::uint64_t epoch = 0;
  std::uint64_t barrier = 0;
};
/// No longer. The outcome of everything uncommitted is unknown here.
struct stop_serving {};
/// A transfer is under way, or it has ended without success.
struct set_accepting {
  bool accepts = true;
};
/// Reads up to that ticket may be answered.
struct reads_released {
  std::uint64_t ticket = 0;
};
/// This copy contradicts the primary: below what was committed, or it has entries of an epoch that was given
/// to another one too. It is left as it is, and takes part in nothing, also after a restart.
struct quarantined {
  bool is_fork = false;
  std::uint64_t cut = 0;
  std::uint64_t commit = 0;
};

using action = std::variant<send, send_entries, send_snapshot, write_entries, truncate_log, write_meta,
                            stage_snapshot, install_snapshot, take_snapshot, compare_and_set, read_authority,
                            committed, serve, stop_serving, set_accepting, reads_released, quarantined>;
using actions = std::vector<action>;

}  // namespace troupe::replication
