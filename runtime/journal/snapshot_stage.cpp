#include "runtime/journal/snapshot_stage.hpp"

#include <algorithm>

#include "runtime/base/bytes.hpp"
#include "runtime/base/hash.hpp"

namespace troupe {

namespace {

std::optional<snapshot_marks> read_marks(byte_reader& in) {
  snapshot_marks out;
  out.applied.index = in.varint();
  out.applied.epoch = in.varint();
  out.stamp.ms = in.zigzag();
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    const auto epoch = in.varint();
    out.epoch_starts.emplace_back(epoch, in.varint());
  }
  return in.ok() ? std::optional{std::move(out)} : std::nullopt;
}

/// Told of everything in a piece, in its order. False: it is no piece, or damaged; then some of it may have
/// been told.
template <class OnMarks, class OnRow, class OnReply>
bool read_piece(std::string_view piece, OnMarks on_marks, OnRow on_row, OnReply on_reply) {
  byte_reader in{piece};
  const bool is_known = in.u8() == snapshot_format;
  const auto sum = in.u32_be();
  if (!in.ok() || !is_known || sum != checksum(in.rest())) return false;
  while (in.ok() && !in.at_end()) {
    const auto what = static_cast<snapshot_record>(in.u8());
    if (what == snapshot_record::marks) {
      auto marks = read_marks(in);
      if (!marks || !on_marks(std::move(*marks))) return false;
      continue;
    }
    if (what != snapshot_record::row && what != snapshot_record::reply) return false;
    const auto key = in.sized();
    const auto value = in.sized();
    if (!in.ok()) return false;
    what == snapshot_record::row ? on_row(key, value) : on_reply(key, value);
  }
  return in.ok();
}

}  // namespace

std::string seal_snapshot_piece(std::string_view records) {
  std::string out;
  byte_writer w{out};
  w.u8(snapshot_format);
  w.u32_be(checksum(records));
  w.raw(records);
  return out;
}

namespace {

bool has_history(const snapshot_marks& marks, const epoch_history& history) {
  const auto& starts = marks.epoch_starts;
  return !history.empty() && marks.applied.epoch == history.back().epoch &&
         std::equal(starts.begin(), starts.end(), history.begin(), history.end(),
                    [](const auto& a, const epoch_start& b) {
                      return a.first == b.epoch && a.second == b.first_index;
                    });
}

}  // namespace

bool is_snapshot_piece(std::uint64_t index, const epoch_history& history, std::uint64_t offset,
                       std::string_view piece) {
  std::size_t marks = 0;
  const auto ignore = [](std::string_view, std::string_view) {};
  const auto count = [&](const snapshot_marks& found) {
    return ++marks == 1 && found.applied.index == index && has_history(found, history);
  };
  return read_piece(piece, count, ignore, ignore) && (marks == 1) == (offset == 0);
}

bool snapshot_stage::put_aside(shard_id shard, std::uint64_t index, std::uint64_t offset,
                               std::string_view piece, store_batch& batch) {
  if (offset == 0) {
    *this = {};
    index_ = index;
    batch.drop_other_side(shard);
  }
  const bool follows = index == index_ && offset == next_offset_ && marks_.has_value() == (offset > 0);
  const auto keep_marks = [&](snapshot_marks&& found) {
    return !std::exchange(marks_, std::move(found)).has_value();
  };
  const auto stage_row = [&](auto key, auto value) { batch.stage_row(shard, key, value); };
  const auto stage_reply = [&](auto id, auto record) { batch.stage_reply(shard, id, record); };
  if (!follows || !read_piece(piece, keep_marks, stage_row, stage_reply) || !marks_) {
    *this = {};
    return false;
  }
  next_offset_ += piece.size();
  return true;
}

void snapshot_stage::install_into(shard_id shard, store_batch& batch) {
  batch.flip_side(shard);
  batch.drop_epoch_starts(shard);
  for (const auto& [epoch, first_index] : marks_->epoch_starts)
    batch.put_epoch_start(shard, epoch, first_index);
  batch.put_applied(shard, marks_->applied);
  batch.put_stamp(shard, marks_->stamp);
  *this = {};
}

}  // namespace troupe
