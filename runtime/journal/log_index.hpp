#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "runtime/base/shard_id.hpp"

namespace troupe {

/// Where in the log each shard's entries are: which part of which frame holds which chunk. What was cut off
/// is not in it. The journal's thread changes it; any thread may ask. About 24 bytes a chunk.
class log_index {
 public:
  struct place {
    std::uint64_t first_index = 0;
    std::uint64_t frame = 0;
    std::uint32_t part = 0;     // of the frame
    std::uint32_t entries = 0;  // that count; the chunk may have more, which were cut off
    std::uint64_t last_index() const { return first_index + entries - 1; }
  };

  explicit log_index(std::uint16_t shard_count) : shards_(shard_count) {}

  void add(shard_id shard, const place& where);
  /// The shard's entries from that index on go.
  void cut(shard_id shard, std::uint64_t first_index);
  /// Nothing of the shard is in the log any more.
  void clear(shard_id shard);
  /// Frames before that one go.
  void drop_frames_before(std::uint64_t frame);

  /// The first of the shard's entries; 0: there are none.
  std::uint64_t first(shard_id shard) const;
  /// Of the chunk that holds the first entry at or behind that index; `otherwise` when there is none.
  std::uint64_t frame_of(shard_id shard, std::uint64_t index, std::uint64_t otherwise) const;
  /// Up to `places_max` chunks, the first of which holds entry `first_index`; empty when it is not there.
  std::vector<place> find(shard_id shard, std::uint64_t first_index, std::size_t places_max) const;

 private:
  using places = std::deque<place>;
  static places::const_iterator at(const places& in, std::uint64_t index);

  mutable std::mutex mutex_;
  std::vector<places> shards_;  // guarded by mutex_
};

}  // namespace troupe
