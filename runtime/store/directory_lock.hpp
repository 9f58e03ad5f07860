#pragma once

#include <optional>
#include <string>

namespace troupe {

/// Holds a data directory for this process, from before anything in it is read until the end: RocksDB's own
/// lock comes too late, it renames its log file first. An advisory lock on the file LOCK that the system
/// drops when the process dies.
class directory_lock {
 public:
  directory_lock() = default;
  ~directory_lock();
  directory_lock(const directory_lock&) = delete;
  directory_lock& operator=(const directory_lock&) = delete;

  enum class outcome { taken, held_by_another, failed };
  outcome take(const std::string& directory);

 private:
  int file_ = -1;
};

}  // namespace troupe
