#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/store/directory_lock.hpp"
#include "runtime/store/rocksdb_settings.hpp"
#include "runtime/store/shard_sides.hpp"
#include "runtime/store/store.hpp"
#include "runtime/store/wal_continuity.hpp"

/// What the store's own files share.
namespace troupe {

inline rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

/// There while something may be on the shard's other side.
inline std::string aside_key(shard_id shard) {
  std::string key = "aside/";
  byte_writer{key}.u16_be(shard);
  return key;
}

struct store_batch::impl {
  rocksdb::WriteBatch batch;
  const shard_sides* sides = nullptr;  // none: all on their first side
  std::vector<shard_id> flips;
  std::vector<std::pair<shard_id, timestamp>> stamps;
  std::vector<shard_id> marked;  // as having something on their other side
  std::string key;               // scratch
  std::string_view on_disk(std::string_view logical) {
    return sides == nullptr ? logical : sides->on_disk(logical, key);
  }
  /// So that a start knows where to look: looking for rows themselves costs a copy of a memtable.
  void mark_other_side(shard_id shard);
};

struct store::impl {
  store_options options;
  directory_lock lock;
  reply_expiry expiry;
  std::unique_ptr<rocksdb::Env> env;  // over the options' disk; none: the default
  wal_continuity logs;
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  std::uint64_t epoch = 0;
  std::uint64_t sequence_found = 0;  // when it was opened, before anything was written
  shard_sides sides;

  explicit impl(const store_options& o)
      : options(o), expiry(o.reply_retention_ms, o.shard_count), sides(o.shard_count) {}
  ~impl() {
    if (!db) return;
    for (auto* family : families) db->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    // Nothing hangs on how this ends: what was promised had been synced before.
    db->Close().PermitUncheckedError();
  }
};

}  // namespace troupe
