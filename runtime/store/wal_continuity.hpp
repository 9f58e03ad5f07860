#pragma once

#include <rocksdb/wal_filter.h>

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace troupe {

/// Watches the write-ahead logs while RocksDB reads them at an opening. RocksDB lets every log end early,
/// since the last one may have a torn tail; of an older one that lost its end, or whose damage looks like an
/// end, it would silently skip the rest and go on with the next log. Records are numbered without gaps, so:
/// - a gap inside a log, or before the first record of a process life (it was synced, and all before it had
/// been
///   read by then), is damage;
/// - any other gap is a power cut that kept a part of the newest log but not the end of the one before, which
/// was
///   not synced either (one that was is in the MANIFEST with its size): what follows the gap never counted,
///   and is left out until a later life goes on where the gap begins.
/// A log that lost all of its records leaves no gap when it is the first: therefore the numbers of the logs
/// are stored at each opening, and one of them that still exists must have shown a record.
class wal_continuity final : public rocksdb::WalFilter {
 public:
  void ColumnFamilyLogNumberMap(const std::map<std::uint32_t, std::uint64_t>& first_logs,
                                const std::map<std::string, std::uint32_t>& families) override;
  WalProcessingOption LogRecordFound(unsigned long long log, const std::string& file,
                                     const rocksdb::WriteBatch& batch, rocksdb::WriteBatch* replaced,
                                     bool* is_replaced) override;
  const char* Name() const override { return "a gap in the write-ahead log"; }

  /// The number of the last record that counted; 0: there was none, everything is in tables.
  std::uint64_t last_sequence() const { return next_sequence_ == 0 ? 0 : next_sequence_ - 1; }
  /// The logs that had records.
  const std::set<std::uint64_t>& seen() const { return seen_; }
  /// What older logs hold is in tables.
  std::uint64_t oldest_needed() const { return oldest_needed_; }

 private:
  std::uint64_t next_sequence_ = 0;  // 0: nothing read yet
  std::uint64_t last_log_ = 0;       // of the last record that counted
  std::uint64_t oldest_needed_ = std::numeric_limits<std::uint64_t>::max();
  std::set<std::uint64_t> seen_;
};

/// What a life writes first.
inline constexpr const char* epoch_key = "epoch";

/// How the numbers of logs are stored.
std::string encode_logs(const std::set<std::uint64_t>& numbers);
std::set<std::uint64_t> decode_logs(std::string_view bytes);

}  // namespace troupe
