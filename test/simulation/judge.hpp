#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cluster/authority/authority.hpp"
#include "test/simulation/disk.hpp"
#include "test/simulation/scenario.hpp"

namespace troupe::simulation {

/// An invariant that did not hold, named as in docs/replication.md, sections 15 and 17.
struct violation {
  std::string what;
  std::string detail;
  instant at = 0;
};

/// Knows what was committed, in all shards, as nobody inside can: it sees every disk, the authority, and
/// every answer the moment it leaves. Told of each step, it checks the invariants at once and remembers the
/// first one that is broken.
class judge {
 public:
  judge(std::size_t shards, const instant& now) : shards_(shards), now_(now) {}

  void on_primary(shard_id shard, std::uint64_t epoch, member who, const shard_image& log);
  void on_written(shard_id shard, member by, std::uint64_t index, const log_record& record);
  void on_truncated(shard_id shard, member by, std::uint64_t last, std::uint64_t commit);
  void on_acknowledged(shard_id shard, member by, std::uint64_t epoch, std::uint64_t match);
  /// How far that run has said, in that epoch, that it has everything.
  std::uint64_t acknowledged(shard_id shard, member by, std::uint64_t epoch) const;
  /// The primary says that its log is committed up to `index`.
  void on_committed(shard_id shard, std::uint64_t epoch, const shard_image& log, std::uint64_t index);
  void on_applied(shard_id shard, std::uint64_t index, const stock& state);
  /// The largest index that an answer about that SKU has revealed; what is evaluated now must not be older.
  std::uint64_t revealed(shard_id shard, std::size_t sku) const { return shards_[shard].revealed[sku]; }
  void on_write_answered(shard_id shard, std::uint64_t epoch, std::uint64_t index, const command& what,
                         const reply& answer);
  /// An answer that made no entry.
  struct seen_state {
    std::size_t sku = 0;
    std::uint64_t index = 0;  // it is said to show the SKU as it is after this entry
    std::uint64_t floor = 0;  // what had been revealed of it when it was evaluated
    std::uint64_t hash = 0;   // of the SKU
  };
  void on_read_answered(shard_id shard, const seen_state& seen);
  /// The stored reply of a command that came again.
  void on_repeat_answered(shard_id shard, std::uint64_t index, const command& what, const reply& answer);
  void on_failed(shard_id shard, const command& what);
  void on_position(shard_id shard, member who, const replication::replica_meta& meta);
  /// Whether that log, on disk, holds everything committed so far.
  bool holds_committed(shard_id shard, const shard_image& log) const;
  /// Whether it holds what was committed up to `index`.
  bool holds(shard_id shard, const shard_image& log, std::uint64_t index) const;

  /// The chain of the committed log up to `index`; 0 when that is not committed.
  std::uint64_t chain_at(shard_id shard, std::uint64_t index) const {
    const auto& entries = shards_[shard].entries;
    return index == 0 ? 1 : index <= entries.size() ? entries[index - 1].chain : 0;
  }

  void fail(std::string what, std::string detail);
  const std::optional<violation>& found() const { return found_; }
  std::uint64_t committed(shard_id shard) const { return shards_[shard].entries.size(); }

 private:
  struct committed_entry {
    std::uint64_t chain = 0;
    std::uint64_t state = 0;
  };
  struct place {
    std::uint64_t index = 0;
    reply answer;
  };
  struct shard_truth {
    std::vector<committed_entry> entries;
    stock state;
    std::unordered_map<std::uint64_t, std::uint64_t> names;  // (epoch, index) -> chain
    std::map<std::uint64_t, member> primaries;
    std::map<std::uint64_t, std::uint64_t>
        committed_in;                                   // epoch -> the last index that its primary committed
    std::unordered_map<std::uint64_t, place> commands;  // command id -> where it is in the log
    std::unordered_map<std::uint64_t, bool> failed;     // reported as never run
    std::array<std::uint64_t, sku_count> revealed{};
    std::array<std::vector<std::pair<std::uint64_t, std::uint64_t>>, sku_count> versions;  // index, hash
    std::map<member, replication::replica_meta> positions;
    std::map<member, std::map<std::uint64_t, std::uint64_t>> acknowledged;  // epoch -> match
  };

  void commit(shard_truth& truth, shard_id shard, std::uint64_t index, const log_record& record);

  std::vector<shard_truth> shards_;
  const instant& now_;
  std::optional<violation> found_;
};

}  // namespace troupe::simulation
