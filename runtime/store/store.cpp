#include "runtime/store/store.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <chrono>

#include "runtime/base/assert.hpp"
#include "runtime/entity/table.hpp"
#include "runtime/store/directory.hpp"
#include "runtime/store/directory_lock.hpp"
#include "runtime/store/epoch.hpp"
#include "runtime/store/reply_record.hpp"
#include "runtime/store/storage_failure.hpp"
#include "runtime/store/wal_continuity.hpp"

namespace troupe {
namespace {

enum family : std::size_t { meta_family, log_family, rows_family, replies_family, family_count };
constexpr std::size_t reply_key_bytes = 18;  // shard, command id
constexpr const char* family_names[family_count] = {"default", "log", "rows", "replies"};

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// Forgets stored replies whose retention is over while RocksDB compacts anyway: expiry without a sweep.
class reply_expiry final : public rocksdb::CompactionFilter {
 public:
  explicit reply_expiry(std::int64_t retention_ms) : retention_ms_(retention_ms) {}
  bool Filter(int, const rocksdb::Slice&, const rocksdb::Slice& value, std::string*, bool*) const override {
    const auto at = reply_record::written_at({value.data(), value.size()});
    return at.ms > 0 && at.ms + retention_ms_ < wall_ms();
  }
  const char* Name() const override { return "troupe.reply_expiry"; }

 private:
  std::int64_t retention_ms_;
};

std::string frame_key(std::uint64_t number) {
  std::string key;
  byte_writer{key}.u64_be(number);
  return key;
}

std::string reply_key(shard_id shard, std::string_view command_id) {
  std::string key;
  byte_writer w{key};
  w.u16_be(shard);
  w.raw(command_id);
  return key;
}

std::string shard_key(std::string prefix, shard_id shard) {
  byte_writer{prefix}.u16_be(shard);
  return prefix;
}
std::string applied_key(shard_id shard) { return shard_key("applied/", shard); }
std::string replica_key(shard_id shard) { return shard_key("replica/", shard); }
std::string epochs_key(shard_id shard) { return shard_key("epochs/", shard); }

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

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
  o.max_total_wal_size = 128U << 20U;  // bounds what a restart replays
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

store_error translate(const rocksdb::Status& status, const std::string& directory) {
  using code = store_error::code;
  const auto text = status.ToString();
  if (status.IsCorruption()) {
    return {code::corrupt, "the store in " + directory + " is damaged and was left as it is: " + text};
  }
  // Only the name of the lock file tells; "lock" alone is in "block" and may be in the directory's own name.
  if (text.find(directory + "/store/LOCK: ") != std::string::npos) {
    return {code::locked, "the data directory " + directory + " is in use by another process"};
  }
  return {code::io, "cannot open the store in " + directory + ": " + text};
}

}  // namespace

struct store_batch::impl {
  rocksdb::WriteBatch batch;
};

struct store::impl {
  store_options options;
  directory_lock lock;
  reply_expiry expiry{0};
  std::unique_ptr<rocksdb::Env> env;  // over the options' disk; none: the default
  wal_continuity logs;
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  std::uint64_t epoch = 0;

  explicit impl(const store_options& o) : options(o), expiry(o.reply_retention_ms) {}
  ~impl() {
    if (!db) return;
    for (auto* family : families) db->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    // Nothing hangs on how this ends: what was promised had been synced before.
    db->Close().PermitUncheckedError();
  }
};

namespace {
// A batch names column families by id, and the ids are fixed by the order of creation; so a batch can be
// built without the database at hand. WriteBatch wants handles, though: this one carries only the id.
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
family_id meta_id{meta_family}, log_id{log_family}, rows_id{rows_family}, replies_id{replies_family};
}  // namespace

store_batch::store_batch() : impl_(std::make_unique<impl>()) {}
store_batch::~store_batch() = default;

namespace {
/// What RocksDB refuses (4 GiB and more) would else be acknowledged and not written.
void must_take(const char* what, const rocksdb::Status& status) {
  if (!status.ok()) storage_failed(what, status);
}
}  // namespace

void store_batch::put_frame(std::uint64_t number, std::string_view frame) {
  must_take("writing a frame", impl_->batch.Put(&log_id, frame_key(number), slice(frame)));
}
void store_batch::drop_frames(std::uint64_t from, std::uint64_t to) {
  must_take("dropping frames", impl_->batch.DeleteRange(&log_id, frame_key(from), frame_key(to)));
}
void store_batch::put_row(std::string_view key, std::string_view value) {
  must_take("writing a row", impl_->batch.Put(&rows_id, slice(key), slice(value)));
}
void store_batch::erase_row(std::string_view key) {
  must_take("erasing a row", impl_->batch.Delete(&rows_id, slice(key)));
}
void store_batch::put_reply(shard_id shard, std::string_view command_id, std::string_view record) {
  must_take("writing a reply", impl_->batch.Put(&replies_id, reply_key(shard, command_id), slice(record)));
}
void store_batch::put_applied(shard_id shard, applied_mark mark) {
  std::string value;
  byte_writer w{value};
  w.varint(mark.index);
  w.varint(mark.epoch);
  must_take("writing an applied mark", impl_->batch.Put(&meta_id, applied_key(shard), value));
}
void store_batch::put_meta(shard_id shard, std::string_view bytes) {
  impl_->batch.Put(&meta_id, replica_key(shard), slice(bytes));
}
void store_batch::put_epoch_start(shard_id shard, std::uint64_t epoch, std::uint64_t first_index) {
  auto key = epochs_key(shard);
  byte_writer{key}.u64_be(epoch);
  std::string value;
  byte_writer{value}.varint(first_index);
  impl_->batch.Put(&meta_id, key, value);
}
void store_batch::clear() { impl_->batch.Clear(); }
bool store_batch::empty() const { return impl_->batch.Count() == 0; }

store::store(std::unique_ptr<impl> opened) : impl_(std::move(opened)) {}
store::~store() = default;

namespace {

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
  // Replies are only ever looked up by their whole key, so their memtable is a hash table: inserting into the
  // ordered one was a tenth of the cost of an order.
  replies.prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(reply_key_bytes));
  replies.memtable_whole_key_filtering = false;
  replies.memtable_prefix_bloom_size_ratio = 0;
  // A flush sorts it, at a restart too, so it is kept small. The buckets are a sixteenth of it.
  replies.write_buffer_size = options.write_buffer_bytes / 4;
  replies.memtable_factory.reset(rocksdb::NewHashLinkListRepFactory(replies.write_buffer_size / 128));
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

}  // namespace

std::variant<std::unique_ptr<store>, store_error> store::open(const store_options& options) {
  auto opened = std::make_unique<impl>(options);
  if (auto fault = prepare_directory(options, opened->lock)) return *fault;
  if (options.disk) opened->env = rocksdb::NewCompositeEnv(options.disk);
  rocksdb::DB* db = nullptr;
  const auto descriptors = families_of(options, &opened->expiry);
  auto status = rocksdb::DB::Open(db_options(opened->env.get(), &opened->logs), options.directory + "/store",
                                  descriptors, &opened->families, &db);
  if (!status.ok()) return translate(status, options.directory);
  opened->db.reset(db);
  for (std::size_t i = 0; i < family_count; ++i) {
    TROUPE_ASSERT(opened->families[i]->GetID() == i, "column families were created in another order");
  }

  status = check_known_logs(*db, opened->logs);
  if (status.ok()) status = begin_epoch(*db, opened->logs, opened->epoch);
  if (!status.ok()) return translate(status, options.directory);
  return std::unique_ptr<store>{new store{std::move(opened)}};
}

std::uint16_t store::shard_count() const { return impl_->options.shard_count; }
std::uint64_t store::epoch() const { return impl_->epoch; }
const std::shared_ptr<rocksdb::FileSystem>& store::disk() const { return impl_->options.disk; }

std::optional<std::string> store::get_row(std::string_view key) const {
  rocksdb::PinnableSlice value;
  const auto status = impl_->db->Get({}, impl_->families[rows_family], slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) storage_failed("reading a row", status);
  return value.ToString();
}

void store::scan_rows(std::string_view from, std::string_view to, scan_order order,
                      const row_visitor& visit) const {
  rocksdb::ReadOptions options;
  const rocksdb::Slice lower = slice(from);
  const rocksdb::Slice upper = slice(to);
  options.iterate_lower_bound = &lower;
  if (!to.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it{impl_->db->NewIterator(options, impl_->families[rows_family])};
  if (order == scan_order::ascending) {
    for (it->SeekToFirst(); it->Valid() && visit(view(it->key()), view(it->value())); it->Next()) {
    }
  } else {
    for (it->SeekToLast(); it->Valid() && visit(view(it->key()), view(it->value())); it->Prev()) {
    }
  }
  if (!it->status().ok()) storage_failed("scanning rows", it->status());
}

std::optional<std::string> store::get_reply(shard_id shard, std::string_view command_id) const {
  rocksdb::PinnableSlice value;
  const auto status =
      impl_->db->Get({}, impl_->families[replies_family], reply_key(shard, command_id), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) storage_failed("reading a stored reply", status);
  if (reply_record::written_at(view(value)).ms + impl_->options.reply_retention_ms < wall_ms())
    return std::nullopt;
  return value.ToString();
}

applied_mark store::applied(shard_id shard) const {
  std::string value;
  const auto status = impl_->db->Get({}, applied_key(shard), &value);
  if (status.IsNotFound()) return {};
  if (!status.ok()) storage_failed("reading an applied mark", status);
  byte_reader in{value};
  applied_mark mark;
  mark.index = in.varint();
  mark.epoch = in.varint();
  return mark;
}

std::string store::meta(shard_id shard) const {
  std::string value;
  const auto status = impl_->db->Get({}, replica_key(shard), &value);
  if (status.IsNotFound()) return {};
  if (!status.ok()) storage_failed("reading a replica's state", status);
  return value;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> store::epoch_starts(shard_id shard) const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> starts;
  const auto prefix = epochs_key(shard);
  const std::unique_ptr<rocksdb::Iterator> it{impl_->db->NewIterator({}, impl_->families[meta_family])};
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next())
    starts.emplace_back(byte_reader{view(it->key()).substr(prefix.size())}.u64_be(),
                        byte_reader{view(it->value())}.varint());
  if (!it->status().ok()) storage_failed("scanning the epochs", it->status());
  return starts;
}

void store::scan_log(const std::function<bool(std::uint64_t, std::string_view)>& visit) const {
  const std::unique_ptr<rocksdb::Iterator> it{impl_->db->NewIterator({}, impl_->families[log_family])};
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    if (!visit(byte_reader{view(it->key())}.u64_be(), view(it->value()))) return;
  }
  if (!it->status().ok()) storage_failed("scanning the log", it->status());
}

void store::write(store_batch& batch, durability how) {
  rocksdb::WriteOptions options;
  options.sync = how == durability::synced;
  const auto status = impl_->db->Write(options, &batch.impl_->batch);
  if (!status.ok()) storage_failed("writing", status);
}

void store::sync() {
  const auto status = impl_->db->SyncWAL();
  if (!status.ok()) storage_failed("syncing the write-ahead log", status);
}

std::uint64_t store::live_bytes() const {
  std::uint64_t total = 0;
  for (auto* family : impl_->families) {
    std::uint64_t bytes = 0;
    if (impl_->db->GetIntProperty(family, "rocksdb.total-sst-files-size", &bytes)) total += bytes;
  }
  return total;
}

namespace {

class entity_rows final : public row_source {
 public:
  entity_rows(const store& from, shard_id shard, const entity_ref& entity) : store_(from) {
    prefix_ = keys::table_prefix(shard, entity, state_table);
    prefix_.pop_back();
  }
  std::optional<std::string> get(table_no table, std::string_view key) const override {
    auto full = in_table(table);
    full.append(key);
    return store_.get_row(full);
  }
  void scan(table_no table, const row_range& range, scan_order order,
            const row_visitor& visit) const override {
    const auto base = in_table(table);
    const auto to = range.to.empty() ? prefix_end(base) : base + range.to;
    store_.scan_rows(base + range.from, to, order, [&](std::string_view key, std::string_view value) {
      return visit(key.substr(base.size()), value);
    });
  }

 private:
  std::string in_table(table_no table) const {
    std::string out;
    out.reserve(prefix_.size() + 48);
    out.append(prefix_);
    out.push_back(static_cast<char>(table));
    return out;
  }
  const store& store_;
  std::string prefix_;
};

}  // namespace

std::unique_ptr<row_source> store::rows_of(shard_id shard, const entity_ref& entity) const {
  return std::make_unique<entity_rows>(*this, shard, entity);
}

}  // namespace troupe
