#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/store/shard_image.hpp"

namespace troupe {

/// A shard's state as pieces for another node: its marks, rows and stored replies. A piece is
/// [format][checksum] then records, and is made again each time it is asked for, so a snapshot takes no room.
/// One thread at a time.
class snapshot_source {
 public:
  /// Reads everything once, to know how much it is. Takes as long as that takes.
  snapshot_source(std::shared_ptr<const shard_image> image, std::size_t piece_bytes);

  /// The state is that after this entry.
  std::uint64_t index() const { return image_->applied().index; }
  std::uint64_t total() const { return total_; }
  /// Over the pieces in their order, each one's hash the seed of the next one's (replication::snapshot_hash).
  std::uint64_t hash() const { return hash_; }
  /// The piece that begins there. Nothing when none does, or when it is no longer what it was: then another
  /// snapshot has to be taken.
  std::optional<std::string> piece_at(std::uint64_t offset) const;

 private:
  enum class section : std::uint8_t { marks, rows, replies, end };
  struct position {
    section in = section::marks;
    std::string key;
  };
  struct piece {
    std::uint64_t offset = 0;
    position begins;
    std::uint64_t hash = 0;
  };

  std::string make_piece(position& at) const;
  void add_marks(std::string& out) const;
  bool add_records(std::string& out, position& at) const;

  const std::shared_ptr<const shard_image> image_;
  const std::size_t piece_bytes_;
  std::vector<piece> pieces_;
  std::uint64_t total_ = 0;
  std::uint64_t hash_ = 0;
};

}  // namespace troupe
