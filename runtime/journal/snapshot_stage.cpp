#include "runtime/journal/snapshot_stage.hpp"

#include "runtime/base/bytes.hpp"
#include "runtime/base/hash.hpp"

namespace troupe {

bool snapshot_stage::put_aside(shard_id shard, std::uint64_t index, std::uint64_t offset,
                               std::string_view piece, store_batch& batch) {
  if (offset == 0) {
    *this = {};
    index_ = index;
    batch.drop_other_side(shard);
  }
  byte_reader in{piece};
  const bool is_known = in.u8() == snapshot_format;
  const auto sum = in.u32_be();
  const bool is_sound = in.ok() && is_known && sum == checksum(in.rest()) && index == index_ &&
                        offset == next_offset_ && has_marks_ == (offset > 0);
  if (!is_sound || !add_records(shard, in.rest(), batch)) {
    *this = {};
    return false;
  }
  next_offset_ += piece.size();
  return true;
}

bool snapshot_stage::add_records(shard_id shard, std::string_view records, store_batch& batch) {
  for (byte_reader in{records}; in.ok();) {
    if (in.at_end()) return has_marks_;
    switch (static_cast<snapshot_record>(in.u8())) {
      case snapshot_record::marks:
        mark_.index = in.varint();
        mark_.epoch = in.varint();
        stamp_.ms = in.zigzag();
        for (auto left = in.varint(); left > 0 && in.ok(); --left) {
          const auto epoch = in.varint();
          epoch_starts_.emplace_back(epoch, in.varint());
        }
        has_marks_ = true;
        break;
      case snapshot_record::row: {
        const auto key = in.sized();
        const auto value = in.sized();
        if (in.ok()) batch.stage_row(shard, key, value);
        break;
      }
      case snapshot_record::reply: {
        const auto id = in.sized();
        const auto record = in.sized();
        if (in.ok()) batch.stage_reply(shard, id, record);
        break;
      }
      default:
        return false;
    }
  }
  return false;
}

void snapshot_stage::install_into(shard_id shard, store_batch& batch) {
  batch.flip_side(shard);
  batch.drop_epoch_starts(shard);
  for (const auto& [epoch, first_index] : epoch_starts_) batch.put_epoch_start(shard, epoch, first_index);
  batch.put_applied(shard, mark_);
  batch.put_stamp(shard, stamp_);
  *this = {};
}

}  // namespace troupe
