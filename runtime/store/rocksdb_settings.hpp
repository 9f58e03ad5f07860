#pragma once

#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/wal_filter.h>

#include <cstdint>
#include <vector>

#include "runtime/store/store.hpp"

/// RocksDB as the store wants it: its column families, and every option that is not as it comes.
namespace troupe {

/// In the order of their creation, which gives them their ids.
enum family : std::uint32_t { meta_family, log_family, rows_family, replies_family, family_count };
inline constexpr std::size_t reply_key_bytes = 18;  // shard, command id

/// Names a column family in a batch. WriteBatch wants handles, but takes only the id from them; so a batch
/// can be built without the database at hand.
rocksdb::ColumnFamilyHandle* family_in_batch(family which);

/// Forgets stored replies whose retention is over while RocksDB compacts anyway: expiry without a sweep.
class reply_expiry final : public rocksdb::CompactionFilter {
 public:
  explicit reply_expiry(std::int64_t retention_ms) : retention_ms_(retention_ms) {}
  bool Filter(int level, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string* replaced,
              bool* is_replaced) const override;
  const char* Name() const override { return "troupe.reply_expiry"; }
  /// Whether a record's time is over, or will be at that time.
  bool is_over(std::string_view record) const { return is_over(record, now_ms()); }
  bool is_over(std::string_view record, std::int64_t at_ms) const;
  static std::int64_t now_ms();

 private:
  std::int64_t retention_ms_;
};

rocksdb::DBOptions db_options(rocksdb::Env* env, rocksdb::WalFilter* filter);
std::vector<rocksdb::ColumnFamilyDescriptor> families_of(const store_options& options, reply_expiry* expiry);

}  // namespace troupe
