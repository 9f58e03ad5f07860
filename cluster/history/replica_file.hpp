#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cluster/history/block_file.hpp"
#include "cluster/history/operation.hpp"

namespace troupe::history {

/// Dumps what a stopped replica has on disk into a history's directory: `replica-NODE-SHARD`. Without
/// finish() the file is no dump. One thread.
class replica_writer {
 public:
  replica_writer(const std::string& directory, std::uint32_t node, std::uint32_t shard);

  /// In the order of the log, from index 1.
  void add(const log_entry& entry);
  void add(const sku_rows& rows);
  void add(const order_row& row);
  /// `commit`: how far the log is committed, `applied`: the index that the rows are of, `digest`: of all of
  /// the shard's rows. False: see fault().
  bool finish(std::uint64_t commit, std::uint64_t applied, std::uint64_t digest);
  const std::string& fault() const { return file_.fault(); }

 private:
  block_writer file_;
  std::uint32_t node_;
  std::uint32_t shard_;
};

void write_replica(const std::string& directory, const replica_dump& dump);

/// The reason when the file is not a whole dump.
std::optional<std::string> read_replica(const std::string& path, replica_dump& out);

/// A history's directory, all of it in memory (about 100 bytes an operation). The reason when something in it
/// is missing, damaged or of another format.
std::optional<std::string> read_history(const std::string& directory, recorded_history& out);

}  // namespace troupe::history
