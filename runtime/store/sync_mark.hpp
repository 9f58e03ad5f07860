#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/store/store.hpp"

namespace rocksdb {
class FSRandomRWFile;
}

namespace troupe {

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

/// Why a store that has less than a mark says is refused.
store_error lost_data(const std::string& what);

}  // namespace troupe
