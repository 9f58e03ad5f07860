#pragma once

#include <rocksdb/memtablerep.h>

#include <cstddef>

namespace troupe {

/// The memtable of stored replies: a hash table that is sorted when it is flushed, by the first bytes of the
/// keys. RocksDB's own hash tables build a skip list then, key by key, which was a third of all that a busy
/// node did (docs/decisions/007-replies-in-a-hash-table.md).
///
/// For families that are ordered bytewise and written by one thread at a time (no concurrent memtable
/// writes); any number may read meanwhile.
class reply_memtable_factory final : public rocksdb::MemTableRepFactory {
 public:
  /// `buckets`: about as many as there are entries in a full memtable; rounded up to a power of two.
  explicit reply_memtable_factory(std::size_t buckets);

  using rocksdb::MemTableRepFactory::CreateMemTableRep;
  rocksdb::MemTableRep* CreateMemTableRep(const rocksdb::MemTableRep::KeyComparator& order,
                                          rocksdb::Allocator* allocator, const rocksdb::SliceTransform*,
                                          rocksdb::Logger*) override;
  const char* Name() const override { return "troupe.reply_memtable"; }

 private:
  std::size_t buckets_;
};

}  // namespace troupe
