#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/store/store.hpp"

namespace rocksdb {
class Snapshot;
}

namespace troupe {

/// One shard as it is now, however it goes on: what a snapshot is made of. It is the state after an entry
/// only when nothing of the shard was being applied at that moment; the journal sees to that. Holds back what
/// RocksDB could drop, so it should not live long. Any thread; the store outlives it.
class shard_image {
 public:
  shard_image(const store& from, shard_id shard);
  ~shard_image();
  shard_image(const shard_image&) = delete;
  shard_image& operator=(const shard_image&) = delete;

  shard_id shard() const { return shard_; }
  applied_mark applied() const { return applied_; }
  timestamp stamp() const { return stamp_; }
  const std::vector<std::pair<std::uint64_t, std::uint64_t>>& epoch_starts() const { return epoch_starts_; }

  enum class part : std::uint8_t { rows, replies };
  /// Keys behind the shard's number, from that one on; false from the visitor ends the scan. Replies that are
  /// over, or soon will be, are left out: RocksDB forgets them under the image's eyes.
  void scan(part which, std::string_view from, const row_visitor& visit) const;

 private:
  const store& store_;
  const shard_id shard_;
  const rocksdb::Snapshot* held_;
  const bool is_second_side_;
  const applied_mark applied_;
  const timestamp stamp_;
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> epoch_starts_;
};

}  // namespace troupe
