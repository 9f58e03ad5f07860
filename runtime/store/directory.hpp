#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/store/directory_lock.hpp"
#include "runtime/store/store.hpp"

namespace rocksdb {
class FSRandomRWFile;
}

namespace troupe {

/// The format of the whole data directory. A greater number on disk is refused before anything is touched.
/// 2: the log has barriers and cuts, and each shard a replica's record (docs/replication.md). Directories of
/// earlier formats are taken over by raise_format().
/// 3: a shard may lie on its second side (shard_sides.hpp).
inline constexpr int data_format = 3;

/// Makes the directory when it does not exist, and refuses one of a newer format, of another shard count, or
/// that cannot be written. Touches nothing when it refuses.
std::optional<store_error> prepare_directory(const store_options& options, directory_lock& lock);

/// Says in FORMAT that this troupe writes here from now on, which an older one must not read. Called before
/// the first write that one would not understand.
std::optional<store_error> raise_format(const store_options& options);

/// Refuses a directory of a newer format; none or an unreadable one is not its business.
std::optional<store_error> refuse_newer_format(const std::string& directory);

/// Whether RocksDB has made its store in the prepared directory. One that has lost its CURRENT file is
/// refused: RocksDB would make a new store over the old one's files.
std::variant<bool, store_error> has_store(const store_options& options);

/// How many shards the data directory was made with; 0 when there is none, or none that can be read.
std::uint16_t shard_count_of(const std::string& directory);

/// Free space for unprivileged writers in the file system of the directory, 0 when it cannot be told.
std::uint64_t free_bytes(const std::string& directory);

/// What was on disk at some moment.
struct synced_state {
  std::vector<std::uint64_t> ends;  // of each shard's log; empty: no (whole) mark
  std::uint64_t sequence = 0;       // of the store's writes, all kinds; 0: a mark of before it was kept
};

/// A small file beside the store that says how much was synced. A store that has less than its mark says has
/// lost its tail, which checksums cannot see: at a record boundary, or behind damage that looks like a write
/// cut short. By the sequence whatever kind of write is missing shows, a cut as well; the ends tell which
/// shard it was. It is noted before anything of it is acknowledged, so it holds after a kill, and
/// written and synced about once a second, so after a power cut too, for all but the last second.
class sync_mark {
 public:
  /// `disk` as in store_options.
  explicit sync_mark(const std::string& directory, const std::shared_ptr<rocksdb::FileSystem>& disk = {});
  ~sync_mark();
  sync_mark(const sync_mark&) = delete;
  sync_mark& operator=(const sync_mark&) = delete;

  static synced_state read(const std::string& directory,
                           const std::shared_ptr<rocksdb::FileSystem>& disk = {});
  /// On disk on return.
  void write(const synced_state& now);
  /// With the operating system on return: a process that is killed leaves it, a power cut may not. What was
  /// written last stays whole.
  void note(const synced_state& now);

 private:
  void put(const synced_state& now);
  std::unique_ptr<rocksdb::FSRandomRWFile> file_;
  bool second_slot_ = false;  // where the next write goes
  std::uint64_t number_ = 0;  // of the last write, in this life or before
};

}  // namespace troupe
