#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/shard_id.hpp"

namespace troupe {

/// Shared, so that one encoding serves the disk, the rows and every backup.
using shared_bytes = std::shared_ptr<const std::string>;

struct epoch_start {
  std::uint64_t epoch = 0;
  std::uint64_t first_index = 0;
  friend bool operator==(const epoch_start&, const epoch_start&) = default;
};

/// Which epoch wrote which part of a log, oldest first.
using epoch_history = std::vector<epoch_start>;

/// Something that a shard's replica wants on disk.
struct log_write {
  enum class kind : std::uint8_t {
    entries = 1,     // bytes: a chunk as chunk_writer makes it
    truncation = 2,  // the entries from first_index on go; none of them is committed
    meta = 3,        // bytes: what the replica wants to find again beside its log
    piece = 4,       // of a snapshot (bytes), put aside: first_index is its offset, last_index the snapshot's
    install = 5,     // what was put aside is the state after last_index, and the log is empty behind it
  };

  shard_id shard = 0;
  kind what = kind::entries;
  std::uint64_t number = 0;  // the shard's own count of its writes
  std::uint64_t first_index = 0;
  std::uint64_t last_index = 0;
  shared_bytes bytes;
  std::size_t awaited = 0;  // entries that somebody waits for; the others are in no hurry
};

/// What a shard's replica is made of after a restart.
struct recovered_shard {
  std::string meta;           // as it was written last; empty: never
  std::uint64_t applied = 0;  // the rows are the state after this entry, and the log begins behind it
  std::uint64_t last = 0;     // where the log ends
  epoch_history history;      // of all entries up to the last
  /// Entries up to here are committed: an earlier life had begun to apply them. At least `applied`.
  std::uint64_t committed = 0;

  std::uint64_t last_epoch() const { return history.empty() ? 0 : history.back().epoch; }
};

}  // namespace troupe
