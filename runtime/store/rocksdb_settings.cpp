#include "runtime/store/rocksdb_settings.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include "runtime/store/reply_memtable.hpp"
#include "runtime/store/storage_failure.hpp"

namespace troupe {
namespace {

constexpr const char* family_names[family_count] = {"default", "log", "rows", "replies"};

class family_id final : public rocksdb::ColumnFamilyHandle {
 public:
  explicit family_id(std::uint32_t id) : id_(id) {}
  const std::string& GetName() const override { return name_; }
  std::uint32_t GetID() const override { return id_; }
  rocksdb::Status GetDescriptor(rocksdb::ColumnFamilyDescriptor*) override {
    return rocksdb::Status::NotSupported();
  }
  const rocksdb::Comparator* GetComparator() const override { return rocksdb::BytewiseComparator(); }

 private:
  std::uint32_t id_;
  std::string name_;
};

family_id ids[family_count] = {family_id{meta_family}, family_id{log_family}, family_id{rows_family},
                               family_id{replies_family}};

}  // namespace

rocksdb::ColumnFamilyHandle* family_in_batch(family which) { return &ids[which]; }

rocksdb::DBOptions db_options(rocksdb::Env* env, rocksdb::WalFilter* filter) {
  rocksdb::DBOptions o;
  if (env != nullptr) o.env = env;
  o.wal_filter = filter;
  o.create_if_missing = true;
  o.create_missing_column_families = true;
  o.paranoid_checks = true;
  // The default silently stops at the first bad record and opens a shorter log; only a torn tail may be
  // dropped.
  o.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  o.recycle_log_file_num = 0;
  o.track_and_verify_wals_in_manifest = true;
  o.max_bgerror_resume_count = 0;
  o.listeners.push_back(watch_for_failures());
  o.best_efforts_recovery = false;
  o.manual_wal_flush = false;
  o.unordered_write = false;
  o.avoid_flush_during_recovery = true;
  o.max_total_wal_size = 64U << 20U;  // bounds what a restart replays: half a second of it
  o.max_background_jobs = 2;
  o.max_open_files = 512;
  o.keep_log_file_num = 3;
  o.max_log_file_size = 4U << 20U;
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;
  o.allow_concurrent_memtable_write = false;  // two threads write, and their batches are small
  o.enable_write_thread_adaptive_yield = false;
  return o;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families_of(const store_options& options, reply_expiry* expiry) {
  rocksdb::BlockBasedTableOptions table;
  // Filters and indexes live in the cache, so that memory is bounded whatever the size of the store. They are
  // cut into small partitions: a whole filter is larger than a shard of the cache, is then never kept, and is
  // read and checked again for each look-up.
  constexpr int cache_shard_bits = 3;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes, cache_shard_bits);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.cache_index_and_filter_blocks = true;
  table.partition_filters = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  table.metadata_block_size = 4096;
  table.pin_top_level_index_and_filter = true;
  // The youngest files are asked first and most, whatever the key; the others' partitions come and go.
  table.metadata_cache_options.partition_pinning = rocksdb::PinningTier::kFlushedAndSimilar;
  table.format_version = 5;

  rocksdb::ColumnFamilyOptions common;
  common.write_buffer_size = options.write_buffer_bytes;
  common.max_write_buffer_number = 3;
  common.level_compaction_dynamic_level_bytes = true;
  // What is written first is soon merged again; compressing it pays only from the third level on.
  common.compression_per_level = {rocksdb::kNoCompression, rocksdb::kNoCompression, rocksdb::kLZ4Compression};
  common.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));

  auto log = common;
  log.compression_per_level.clear();
  log.compression = rocksdb::kNoCompression;
  auto rows = common;
  rows.memtable_whole_key_filtering = true;
  rows.memtable_prefix_bloom_size_ratio = 0.02;
  auto replies = rows;
  // Replies are looked up by their whole key, so their memtable is a hash table: inserting into the ordered
  // one was a tenth of the cost of an order. The buckets are a sixteenth of it.
  replies.memtable_whole_key_filtering = false;
  replies.memtable_prefix_bloom_size_ratio = 0;
  replies.write_buffer_size = options.write_buffer_bytes / 4;
  replies.memtable_factory = std::make_shared<reply_memtable_factory>(replies.write_buffer_size / 128);
  replies.compaction_style = rocksdb::kCompactionStyleUniversal;
  replies.compaction_filter = expiry;
  replies.ttl = static_cast<std::uint64_t>(options.reply_retention_ms / 1000);
  auto meta = common;
  meta.write_buffer_size = 1U << 20U;

  return {{family_names[meta_family], meta},
          {family_names[log_family], log},
          {family_names[rows_family], rows},
          {family_names[replies_family], replies}};
}

}  // namespace troupe
