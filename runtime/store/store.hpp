#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/entity/row_source.hpp"
#include "runtime/store/keys.hpp"

namespace rocksdb {
class FileSystem;
}

namespace troupe {

struct store_options {
  std::string directory;
  std::uint16_t shard_count = 64;
  /// Stored replies older than this may be forgotten.
  std::int64_t reply_retention_ms = 24LL * 3600 * 1000;
  std::size_t block_cache_bytes = 128U << 20U;
  std::size_t write_buffer_bytes = 32U << 20U;
  /// Through which everything in the directory is read and written, FORMAT and the mark too; none: the
  /// operating system's. For tests that take the disk away.
  std::shared_ptr<rocksdb::FileSystem> disk{};
};

/// Why a store did not open, for the person who started the process.
struct store_error {
  enum class code { locked = 1, newer_format, other_shard_count, not_writable, corrupt, suspect, io };
  code what = code::io;
  std::string message;
};

/// Where a shard's applied state ends.
struct applied_mark {
  std::uint64_t index = 0;
  std::uint64_t epoch = 0;  // of the entry at `index`
};

class store;

/// What one atomic write holds. One thread builds and writes it.
class store_batch {
 public:
  store_batch();
  /// For rows of shards as they lie in that store.
  explicit store_batch(const store& to);
  ~store_batch();
  store_batch(const store_batch&) = delete;
  store_batch& operator=(const store_batch&) = delete;

  void put_frame(std::uint64_t number, std::string_view frame);
  /// Drops the frames with numbers in [from, to).
  void drop_frames(std::uint64_t from, std::uint64_t to);
  void put_row(std::string_view key, std::string_view value);
  void erase_row(std::string_view key);
  void put_reply(shard_id shard, std::string_view command_id, std::string_view record);
  void put_applied(shard_id shard, applied_mark mark);
  /// In the first of the writes that bring the rows of entries up to `index`: they are committed, and until
  /// the applied mark says the same the rows may be the state after none of them.
  void put_applying(shard_id shard, std::uint64_t index);
  /// Of the last applied entry that has one.
  void put_stamp(shard_id shard, timestamp stamp);
  /// What the shard's replica wants to find again beside its log.
  void put_meta(shard_id shard, std::string_view bytes);
  /// That an epoch began with that entry, which is applied.
  void put_epoch_start(shard_id shard, std::uint64_t epoch, std::uint64_t first_index);
  /// All of them go.
  void drop_epoch_starts(shard_id shard);

  // A snapshot, put aside on the side of the store that is not the shard (shard_sides.hpp).
  void drop_other_side(shard_id shard);
  void stage_row(shard_id shard, std::string_view key_behind_shard, std::string_view value);
  void stage_reply(shard_id shard, std::string_view command_id, std::string_view record);
  /// With this write what was put aside is the shard, and what the shard was is put aside. Nothing of the
  /// shard may be in the hands of another writer.
  void flip_side(shard_id shard);

  void clear();
  bool empty() const;

 private:
  friend class store;
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// The node's one RocksDB (column families meta, log, rows, replies; one write-ahead log, so one fsync covers
/// all shards), with the settings of the replication design, section 13. Reads may come from any thread;
/// writes come from the journal's thread. A write or fsync that fails ends the process: what is on disk is
/// then not known.
class store {
 public:
  static std::variant<std::unique_ptr<store>, store_error> open(const store_options& options);
  ~store();
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  std::uint16_t shard_count() const;
  /// The number of this opening: greater than all before, durable before open() returns.
  std::uint64_t epoch() const;
  /// Who keeps its data here, empty: nobody has said so yet. Durable before set_owner() returns.
  std::string owner() const;
  void set_owner(std::string_view who);
  /// As in the options.
  const std::shared_ptr<rocksdb::FileSystem>& disk() const;
  /// Of the last write, and of the last one that opening found. Each write takes numbers, of which none is
  /// taken twice.
  std::uint64_t sequence() const;
  std::uint64_t sequence_found() const;

  std::optional<std::string> get_row(std::string_view key) const;
  /// Keys in [from, to), `to` empty for no bound, all of one shard; false from the visitor ends the scan.
  void scan_rows(std::string_view from, std::string_view to, scan_order order,
                 const row_visitor& visit) const;
  /// The stored reply of a command, unless its retention is over, by the stamps of its shard.
  std::optional<std::string> get_reply(shard_id shard, std::string_view command_id) const;

  applied_mark applied(shard_id shard) const;
  /// No value: never written.
  std::optional<std::uint64_t> applying(shard_id shard) const;
  /// When the last applied entry of the shard was made, as its primary said; not set when there is none.
  timestamp stamp(shard_id shard) const;
  std::string meta(shard_id shard) const;
  /// (epoch, first index) of all applied entries, oldest first.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> epoch_starts(shard_id shard) const;
  /// All frames of the log, in the order in which they were written; false from the visitor ends the scan.
  void scan_log(const std::function<bool(std::uint64_t number, std::string_view frame)>& visit) const;

  /// One frame of the log, unless it has been dropped.
  std::optional<std::string> get_frame(std::uint64_t number) const;

  /// What is put aside of any shard goes with that batch.
  void drop_other_sides(store_batch& batch) const;

  enum class durability { buffered, synced };
  void write(store_batch& batch, durability how);
  /// Everything written before is on disk when this returns; other writes may pass meanwhile.
  void sync();

  /// The stored rows of one entity.
  std::unique_ptr<row_source> rows_of(shard_id shard, const entity_ref& entity) const;

  std::uint64_t live_bytes() const;

 private:
  friend class store_batch;
  friend class shard_image;
  struct impl;
  explicit store(std::unique_ptr<impl> opened);
  std::unique_ptr<impl> impl_;
};

}  // namespace troupe
