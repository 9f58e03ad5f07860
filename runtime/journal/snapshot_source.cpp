#include "runtime/journal/snapshot_source.hpp"

#include <algorithm>

#include "runtime/base/bytes.hpp"
#include "runtime/base/hash.hpp"
#include "runtime/journal/snapshot_stage.hpp"

namespace troupe {

snapshot_source::snapshot_source(std::shared_ptr<const shard_image> image, std::size_t piece_bytes)
    : image_(std::move(image)), piece_bytes_(piece_bytes) {
  for (position at; at.in != section::end;) {
    auto& one = pieces_.emplace_back(piece{total_, at, 0});
    const auto bytes = make_piece(at);
    one.hash = stable_hash(bytes);
    total_ += bytes.size();
    hash_ = stable_hash(bytes, hash_);
  }
}

std::optional<std::string> snapshot_source::piece_at(std::uint64_t offset) const {
  const auto found =
      std::partition_point(pieces_.begin(), pieces_.end(), [=](const piece& p) { return p.offset < offset; });
  if (found == pieces_.end() || found->offset != offset) return std::nullopt;
  auto at = found->begins;
  auto bytes = make_piece(at);
  if (stable_hash(bytes) != found->hash) return std::nullopt;
  return bytes;
}

std::string snapshot_source::make_piece(position& at) const {
  std::string records;
  if (at.in == section::marks) {
    add_marks(records);
    at = {section::rows, {}};
  }
  while (at.in != section::end && add_records(records, at))
    at = {at.in == section::rows ? section::replies : section::end, {}};
  return seal_snapshot_piece(records);
}

void snapshot_source::add_marks(std::string& out) const {
  byte_writer w{out};
  w.u8(static_cast<std::uint8_t>(snapshot_record::marks));
  w.varint(image_->applied().index);
  w.varint(image_->applied().epoch);
  w.zigzag(image_->stamp().ms);
  w.varint(image_->epoch_starts().size());
  for (const auto& [epoch, first_index] : image_->epoch_starts()) {
    w.varint(epoch);
    w.varint(first_index);
  }
}

/// While there is room in the piece. True when the section has come to its end.
bool snapshot_source::add_records(std::string& out, position& at) const {
  const bool is_rows = at.in == section::rows;
  byte_writer w{out};
  bool is_at_end = true;
  image_->scan(is_rows ? shard_image::part::rows : shard_image::part::replies, at.key,
               [&](std::string_view key, std::string_view value) {
                 if (out.size() >= piece_bytes_) {
                   at.key = key;
                   is_at_end = false;
                   return false;
                 }
                 w.u8(static_cast<std::uint8_t>(is_rows ? snapshot_record::row : snapshot_record::reply));
                 w.sized(key);
                 w.sized(value);
                 return true;
               });
  return is_at_end;
}

}  // namespace troupe
