#pragma once

#include <rocksdb/compaction_filter.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/shard_id.hpp"
#include "runtime/base/time.hpp"

namespace troupe {

/// Which stored replies are over: by the stamps of their shard's log and not by this machine's clock, so that
/// every copy knows the same commands, whatever its clock says. Forgets them while RocksDB compacts anyway:
/// expiry without a sweep.
class reply_expiry final : public rocksdb::CompactionFilter {
 public:
  reply_expiry(std::int64_t retention_ms, std::uint16_t shard_count)
      : retention_ms_(retention_ms), stamps_(shard_count) {}
  /// Of the last entry that is applied.
  void on_stamp(shard_id shard, timestamp stamp);
  bool is_over(shard_id shard, std::string_view record) const {
    return is_over(record, stamps_[shard].load(std::memory_order_acquire));
  }
  bool is_over(std::string_view record, std::int64_t at_ms) const;

  bool Filter(int level, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string* replaced,
              bool* is_replaced) const override;
  const char* Name() const override { return "troupe.reply_expiry"; }

 private:
  std::int64_t retention_ms_;
  std::vector<std::atomic<std::int64_t>> stamps_;  // ms
};

}  // namespace troupe
