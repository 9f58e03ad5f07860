#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>

#include "runtime/store/store.hpp"

namespace rocksdb {
class DB;
class EventListener;
}  // namespace rocksdb

namespace troupe {

/// How much of RocksDB's MANIFEST is on disk: the file `manifest` in the data directory. RocksDB takes a
/// MANIFEST whose last records look as if their write had been cut short for a shorter one, and so goes back
/// to what was flushed before: what the write-ahead logs that were dropped since had is then missing, and
/// shows nowhere else when the log's frames are in others.
class manifest_mark {
 public:
  manifest_mark(std::string directory, std::shared_ptr<rocksdb::FileSystem> disk);

  /// Before the store is opened: RocksDB begins another MANIFEST then, and removes what that does not name.
  /// One that is shorter than its mark is refused, and so is a mark that is damaged. Whether there is a mark:
  /// then the store was once whole, with all its column families.
  std::variant<bool, store_error> check() const;
  /// Writes down how much of it there is now, on disk on return. A failure ends the process.
  void write(rocksdb::DB& db) const;
  /// Writes it after each flush, before the logs that it made superfluous are dropped.
  static std::shared_ptr<rocksdb::EventListener> watch(std::shared_ptr<const manifest_mark> mark);

 private:
  std::string path() const { return directory_ + "/manifest"; }

  std::string directory_;
  std::shared_ptr<rocksdb::FileSystem> disk_;
  mutable std::mutex mutex_;  // held while the file is written: flushes may end on more than one thread
};

/// Where the last whole record of a RocksDB log file ends that begins before `bytes` of it: blocks of 32 KiB,
/// [checksum: 4][length: 2][type: 1][payload] (RocksDB, "Write Ahead Log File Format").
std::uint64_t whole_records_end(std::string_view log, std::uint64_t bytes);

}  // namespace troupe
