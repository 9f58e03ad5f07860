#include "runtime/store/reply_expiry.hpp"

#include "runtime/store/reply_record.hpp"
#include "runtime/store/shard_sides.hpp"

namespace troupe {

namespace {

/// What is over is kept so much longer: a snapshot is measured and then sent, and a filter sees through
/// RocksDB's snapshots.
constexpr std::int64_t kept_longer_ms = 60LL * 60 * 1000;

}  // namespace

void reply_expiry::on_stamp(shard_id shard, timestamp stamp) {
  stamps_[shard].store(stamp.ms, std::memory_order_release);
}

bool reply_expiry::is_over(std::string_view record, std::int64_t at_ms) const {
  return reply_record::written_at(record).ms + retention_ms_ < at_ms;
}

bool reply_expiry::Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string*,
                          bool*) const {
  if (key.size() < sizeof(shard_id)) return false;
  std::size_t shard = shard_sides::shard_in({key.data(), key.size()});
  if (shard >= stamps_.size()) shard &= shard_sides::shards_max;  // the other side
  if (shard >= stamps_.size()) return false;
  const std::string_view record{value.data(), value.size()};
  const auto now_ms = stamps_[shard].load(std::memory_order_acquire);
  return reply_record::written_at(record).ms > 0 && is_over(record, now_ms - kept_longer_ms);
}

}  // namespace troupe
