#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/journal/log_write.hpp"
#include "runtime/store/store.hpp"

namespace troupe {

inline constexpr std::uint8_t snapshot_format = 1;
enum class snapshot_record : std::uint8_t {
  marks = 1,  // [index][epoch][stamp][count] (epoch, first index)*; the first one
  row = 2,    // [key behind the shard][value]
  reply = 3,  // [command id][record]
};

struct snapshot_marks {
  applied_mark applied;
  timestamp stamp;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> epoch_starts;
};

/// A piece with those records.
std::string seal_snapshot_piece(std::string_view records);

/// Whether those bytes are a whole, undamaged piece of a snapshot of the state after that entry of a log with
/// that history, as far as one piece tells: to be asked before a piece of another process is believed.
bool is_snapshot_piece(std::uint64_t index, const epoch_history& history, std::uint64_t offset,
                       std::string_view piece);

/// Where a shard's snapshot is put aside, piece by piece, on the side of the store that is not the shard. One
/// write makes it the shard. What was put aside is known to this object only, so a restart drops it.
class snapshot_stage {
 public:
  /// Puts a piece into the batch. The first one, at offset 0, drops what was put aside before. False: it does
  /// not follow the one before, its checksum is wrong, or it is no piece; then nothing can be installed until
  /// another snapshot begins.
  bool put_aside(shard_id shard, std::uint64_t index, std::uint64_t offset, std::string_view piece,
                 store_batch& batch);
  /// Whether what was put aside is the state after that entry, as far as the pieces tell.
  bool is_ready(std::uint64_t index) const {
    return marks_ && index == index_ && marks_->applied.index == index;
  }
  /// Makes it the shard, with its marks, and forgets it.
  void install_into(shard_id shard, store_batch& batch);

 private:
  std::uint64_t index_ = 0;
  std::uint64_t next_offset_ = 0;
  std::optional<snapshot_marks> marks_;  // of the first piece
};

}  // namespace troupe
