#include "runtime/store/store.hpp"

#include "runtime/base/assert.hpp"
#include "runtime/entity/table.hpp"
#include "runtime/store/directory.hpp"
#include "runtime/store/epoch.hpp"
#include "runtime/store/manifest_mark.hpp"
#include "runtime/store/storage_failure.hpp"
#include "runtime/store/store_impl.hpp"
#include "runtime/store/sync_mark.hpp"

namespace troupe {
namespace {

constexpr const char* owner_key = "owner";

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
std::string applying_key(shard_id shard) { return shard_key("applying/", shard); }
std::string stamp_key(shard_id shard) { return shard_key("stamp/", shard); }
std::string replica_key(shard_id shard) { return shard_key("replica/", shard); }
std::string epochs_key(shard_id shard) { return shard_key("epochs/", shard); }
std::string side_key(shard_id shard) { return shard_key("side/", shard); }

/// Which shards lie on their second side.
rocksdb::Status read_sides(rocksdb::DB& db, std::uint16_t shard_count, shard_sides& sides) {
  std::string value;
  for (shard_id shard = 0; shard < shard_count; ++shard) {
    const auto status = db.Get({}, side_key(shard), &value);
    if (status.IsNotFound()) continue;
    if (!status.ok()) return status;
    if (value == "2") sides.flip(shard);
  }
  return rocksdb::Status::OK();
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

std::optional<store_error> check_sequence(const store_options& options, std::uint64_t found) {
  const auto mark = sync_mark::read(options.directory, options.disk);
  if (found >= mark.sequence) return std::nullopt;
  return lost_data("the store's writes end at number " + std::to_string(found) + " but " +
                   std::to_string(mark.sequence));
}

}  // namespace

store_batch::store_batch() : impl_(std::make_unique<impl>()) {}
store_batch::store_batch(const store& to) : store_batch() { impl_->sides = &to.impl_->sides; }
store_batch::~store_batch() = default;

namespace {
/// What RocksDB refuses (4 GiB and more) would else be acknowledged and not written.
void must_take(const char* what, const rocksdb::Status& status) {
  if (!status.ok()) storage_failed(what, status);
}
}  // namespace

void store_batch::put_frame(std::uint64_t number, std::string_view frame) {
  must_take("writing a frame",
            impl_->batch.Put(family_in_batch(log_family), frame_key(number), slice(frame)));
}
void store_batch::drop_frames(std::uint64_t from, std::uint64_t to) {
  must_take("dropping frames",
            impl_->batch.DeleteRange(family_in_batch(log_family), frame_key(from), frame_key(to)));
}
void store_batch::put_row(std::string_view key, std::string_view value) {
  must_take("writing a row",
            impl_->batch.Put(family_in_batch(rows_family), slice(impl_->on_disk(key)), slice(value)));
}
void store_batch::erase_row(std::string_view key) {
  must_take("erasing a row", impl_->batch.Delete(family_in_batch(rows_family), slice(impl_->on_disk(key))));
}
void store_batch::put_reply(shard_id shard, std::string_view command_id, std::string_view record) {
  const auto key = reply_key(shard, command_id);
  must_take("writing a reply",
            impl_->batch.Put(family_in_batch(replies_family), slice(impl_->on_disk(key)), slice(record)));
}
void store_batch::put_applied(shard_id shard, applied_mark mark) {
  std::string value;
  byte_writer w{value};
  w.varint(mark.index);
  w.varint(mark.epoch);
  must_take("writing an applied mark",
            impl_->batch.Put(family_in_batch(meta_family), applied_key(shard), value));
}
void store_batch::put_applying(shard_id shard, std::uint64_t index) {
  std::string value;
  byte_writer{value}.varint(index);
  must_take("writing what is being applied",
            impl_->batch.Put(family_in_batch(meta_family), applying_key(shard), value));
}
void store_batch::put_stamp(shard_id shard, timestamp stamp) {
  std::string value;
  byte_writer{value}.zigzag(stamp.ms);
  must_take("writing a stamp", impl_->batch.Put(family_in_batch(meta_family), stamp_key(shard), value));
  impl_->stamps.emplace_back(shard, stamp);
}
void store_batch::put_meta(shard_id shard, std::string_view bytes) {
  must_take("writing a replica's record",
            impl_->batch.Put(family_in_batch(meta_family), replica_key(shard), slice(bytes)));
}
void store_batch::put_epoch_start(shard_id shard, std::uint64_t epoch, std::uint64_t first_index) {
  auto key = epochs_key(shard);
  byte_writer{key}.u64_be(epoch);
  std::string value;
  byte_writer{value}.varint(first_index);
  must_take("writing an epoch's start", impl_->batch.Put(family_in_batch(meta_family), key, value));
}
void store_batch::drop_epoch_starts(shard_id shard) {
  must_take("dropping epochs", impl_->batch.DeleteRange(family_in_batch(meta_family), epochs_key(shard),
                                                        prefix_end(epochs_key(shard))));
}
void store_batch::flip_side(shard_id shard) {
  must_take("installing a snapshot", impl_->batch.Put(family_in_batch(meta_family), side_key(shard),
                                                      impl_->sides->is_second(shard) ? "1" : "2"));
  impl_->mark_other_side(shard);  // what the shard was
  impl_->flips.push_back(shard);
}
void store_batch::clear() {
  impl_->batch.Clear();
  impl_->flips.clear();
  impl_->stamps.clear();
  impl_->marked.clear();
}
bool store_batch::empty() const { return impl_->batch.Count() == 0; }

store::store(std::unique_ptr<impl> opened) : impl_(std::move(opened)) {}
store::~store() = default;

std::variant<std::unique_ptr<store>, store_error> store::open(const store_options& options) {
  auto opened = std::make_unique<impl>(options);
  if (auto fault = prepare_directory(options, opened->lock)) return *fault;
  const auto has_one = has_store(options);
  if (const auto* fault = std::get_if<store_error>(&has_one)) return *fault;
  const auto manifest = std::make_shared<manifest_mark>(options.directory, options.disk);
  const auto was_whole = manifest->check();
  if (const auto* fault = std::get_if<store_error>(&was_whole)) return *fault;
  if (options.disk) opened->env = rocksdb::NewCompositeEnv(options.disk);
  rocksdb::DB* db = nullptr;
  const auto descriptors = families_of(options, &opened->expiry);
  auto how = db_options(opened->env.get(), &opened->logs);
  // A column family that is gone is damage, not one to be made anew.
  how.create_if_missing = how.create_missing_column_families = !std::get<bool>(was_whole);
  how.listeners.push_back(manifest_mark::watch(manifest));
  auto status = rocksdb::DB::Open(how, options.directory + "/store", descriptors, &opened->families, &db);
  if (!status.ok()) return translate(status, options.directory);
  opened->db.reset(db);
  // RocksDB's own count may come from the MANIFEST, behind what a log has lost.
  const auto last_in_logs = opened->logs.last_sequence();
  opened->sequence_found = last_in_logs != 0 ? last_in_logs : db->GetLatestSequenceNumber();
  for (std::size_t i = 0; i < family_count; ++i) {
    TROUPE_ASSERT(opened->families[i]->GetID() == i, "column families were created in another order");
  }

  status = check_known_logs(*db, opened->logs);
  if (!status.ok()) return translate(status, options.directory);
  // Before anything is written, which would count on from where the loss begins: a store that is refused
  // stays so, however often it is opened.
  if (auto fault = check_sequence(options, opened->sequence_found)) return *fault;
  manifest->write(*db);
  status = read_sides(*db, options.shard_count, opened->sides);
  if (status.ok()) status = begin_epoch(*db, opened->logs, opened->epoch);
  if (!status.ok()) return translate(status, options.directory);
  std::unique_ptr<store> out{new store{std::move(opened)}};
  for (shard_id shard = 0; shard < options.shard_count; ++shard)
    out->impl_->expiry.on_stamp(shard, out->stamp(shard));
  return out;
}

std::uint16_t store::shard_count() const { return impl_->options.shard_count; }
std::uint64_t store::epoch() const { return impl_->epoch; }

std::string store::owner() const {
  std::string who;
  const auto status = impl_->db->Get({}, owner_key, &who);
  if (!status.ok() && !status.IsNotFound()) storage_failed("reading whose the store is", status);
  return who;
}

void store::set_owner(std::string_view who) {
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const auto status = impl_->db->Put(synced, owner_key, slice(who));
  if (!status.ok()) storage_failed("writing whose the store is", status);
}

const std::shared_ptr<rocksdb::FileSystem>& store::disk() const { return impl_->options.disk; }
std::uint64_t store::sequence() const { return impl_->db->GetLatestSequenceNumber(); }
std::uint64_t store::sequence_found() const { return impl_->sequence_found; }

std::optional<std::string> store::get_row(std::string_view key) const {
  rocksdb::PinnableSlice value;
  std::string scratch;
  const auto stored_key = impl_->sides.on_disk(key, scratch);
  const auto status = impl_->db->Get({}, impl_->families[rows_family], slice(stored_key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) storage_failed("reading a row", status);
  return value.ToString();
}

void store::scan_rows(std::string_view from, std::string_view to, scan_order order,
                      const row_visitor& visit) const {
  rocksdb::ReadOptions options;
  std::string stored_from;
  std::string stored_to;
  std::string logical;
  const auto lower_key = impl_->sides.on_disk(from, stored_from);
  const bool is_second = lower_key.data() != from.data();
  const rocksdb::Slice lower = slice(lower_key);
  const rocksdb::Slice upper = slice(is_second && !to.empty() ? shard_sides::other_bit(to, stored_to) : to);
  options.iterate_lower_bound = &lower;
  if (!to.empty()) options.iterate_upper_bound = &upper;
  const auto show = [&](const rocksdb::Iterator& at) {
    const auto key = view(at.key());
    return visit(is_second ? shard_sides::other_bit(key, logical) : key, view(at.value()));
  };
  const std::unique_ptr<rocksdb::Iterator> it{impl_->db->NewIterator(options, impl_->families[rows_family])};
  if (order == scan_order::ascending) {
    for (it->SeekToFirst(); it->Valid() && show(*it); it->Next()) {
    }
  } else {
    for (it->SeekToLast(); it->Valid() && show(*it); it->Prev()) {
    }
  }
  if (!it->status().ok()) storage_failed("scanning rows", it->status());
}

std::optional<std::string> store::get_reply(shard_id shard, std::string_view command_id) const {
  rocksdb::PinnableSlice value;
  std::string scratch;
  const auto key = reply_key(shard, command_id);
  const auto stored_key = impl_->sides.on_disk(key, scratch);
  const auto status = impl_->db->Get({}, impl_->families[replies_family], slice(stored_key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) storage_failed("reading a stored reply", status);
  if (impl_->expiry.is_over(shard, view(value))) return std::nullopt;
  return value.ToString();
}

std::optional<std::uint64_t> store::applying(shard_id shard) const {
  std::string value;
  const auto status = impl_->db->Get({}, applying_key(shard), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) storage_failed("reading what is being applied", status);
  return byte_reader{value}.varint();
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

timestamp store::stamp(shard_id shard) const {
  std::string value;
  const auto status = impl_->db->Get({}, stamp_key(shard), &value);
  if (status.IsNotFound()) return {};
  if (!status.ok()) storage_failed("reading a stamp", status);
  return {byte_reader{value}.zigzag()};
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

std::optional<std::string> store::get_frame(std::uint64_t number) const {
  std::string value;
  const auto status = impl_->db->Get({}, impl_->families[log_family], frame_key(number), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) storage_failed("reading a frame", status);
  return value;
}

void store::write(store_batch& batch, durability how) {
  rocksdb::WriteOptions options;
  options.sync = how == durability::synced;
  const auto status = impl_->db->Write(options, &batch.impl_->batch);
  if (!status.ok()) storage_failed("writing", status);
  for (const auto shard : batch.impl_->flips) impl_->sides.flip(shard);
  for (const auto& [shard, stamp] : batch.impl_->stamps) impl_->expiry.on_stamp(shard, stamp);
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
