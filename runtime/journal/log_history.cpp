// What is in the log, what of it can be read, and when it is dropped.
#include <optional>
#include <string>

#include "runtime/base/assert.hpp"
#include "runtime/journal/journal.hpp"

namespace troupe {

namespace {

constexpr std::size_t places_max = 256;

/// How many of a chunk's entries are wanted: up to `last`, and while they fit; the first one always.
std::uint64_t entries_that_fit(const chunk_view& chunk, std::uint64_t skipped, std::uint64_t last,
                               std::size_t bytes_max) {
  std::uint64_t count = 0;
  std::size_t bytes = 0;
  for (auto at = skipped; at < chunk.entries.size() && chunk.first_index + at <= last; ++at, ++count) {
    bytes += chunk.entries[at].size();
    if (count > 0 && bytes > bytes_max) break;
  }
  return count;
}

}  // namespace

std::vector<log_extract> journal::read(shard_id shard, std::uint64_t first, std::uint64_t last,
                                       std::size_t bytes_max) const {
  std::vector<log_extract> out;
  // A backup that was caught up itself has many chunks in a frame: read and checked once, not once for each.
  std::optional<std::string> frame;
  std::uint64_t frame_at_hand = 0;
  std::vector<log_frame::part> parts;
  chunk_view chunk;
  std::size_t bytes = 0;
  for (const auto& place : index_.find(shard, first, places_max)) {
    if (first > last || (bytes >= bytes_max && !out.empty())) break;
    bool is_whole = true;
    if (!frame || place.frame != frame_at_hand) {
      frame = store_.get_frame(place.frame);
      if (!frame) break;  // dropped since
      frame_at_hand = place.frame;
      parts.clear();
      is_whole = log_frame::decode(*frame, parts);
    }
    is_whole = is_whole && place.part < parts.size() &&
               decode_chunk(shard, place.first_index, parts[place.part].chunk, chunk);
    TROUPE_ASSERT(is_whole, "frame " + std::to_string(place.frame) + " of the log is damaged");
    const auto skipped = first - place.first_index;
    const auto room = bytes_max - std::min(bytes, bytes_max);
    const auto count = entries_that_fit(chunk, skipped, std::min(last, place.last_index()), room);
    auto range = std::make_shared<const std::string>(chunk_range(parts[place.part].chunk, skipped, count));
    bytes += range->size();
    out.push_back({first, first + count - 1, chunk.epoch, skipped > 0 ? chunk.epoch : chunk.previous_epoch,
                   std::move(range)});
    first += count;
    if (first <= place.last_index()) break;
  }
  return out;
}

std::uint64_t journal::first_kept(shard_id shard) const { return index_.first(shard); }

void journal::keep_from(shard_id shard, std::uint64_t index) {
  const std::lock_guard lock{mutex_};
  needed_from_[shard] = index;
}

void journal::make_readable(const std::vector<log_write>& incoming, std::uint64_t frame) {
  std::uint32_t part = 0;
  for (const auto& w : incoming) {
    if (w.what == log_write::kind::meta || w.what == log_write::kind::piece) continue;
    const auto in_frame = part++;
    if (w.what == log_write::kind::install) index_.clear(w.shard);
    if (w.what == log_write::kind::truncation) index_.cut(w.shard, w.first_index);
    if (w.what != log_write::kind::entries) continue;
    const auto entries = static_cast<std::uint32_t>(w.last_index - w.first_index + 1);
    index_.add(w.shard, {w.first_index, frame, in_frame, entries});
  }
}

/// Drops the frames whose entries are all applied, in large steps. What was applied is in the same
/// write-ahead log before the drop, so there is no moment in which an entry is in neither.
void journal::trim() {
  while (!frames_.empty() && frames_.front().unapplied_chunks == 0) frames_.pop_front();
  const auto unapplied = frames_.empty() ? next_frame_ : frames_.front().number;
  const auto keep_from = std::min(unapplied, needed_frame());
  std::size_t droppable = 0;
  for (const auto& one : log_sizes_) {
    if (one.number >= keep_from) break;
    droppable += one.bytes;
  }
  if (droppable == 0 || droppable < options_.trim_bytes) return;
  index_.drop_frames_before(keep_from);
  batch_.drop_frames(log_sizes_.front().number, keep_from);
  log_bytes_ -= droppable;
  while (!log_sizes_.empty() && log_sizes_.front().number < keep_from) log_sizes_.pop_front();
}

/// The first frame that a backup needs, or a later one when that is too much.
std::uint64_t journal::needed_frame() {
  std::vector<std::uint64_t> needed;
  {
    const std::lock_guard lock{mutex_};
    needed = needed_from_;
  }
  auto frame = next_frame_;
  for (shard_id shard = 0; shard < needed.size(); ++shard)
    if (needed[shard] != nothing_needed)
      frame = std::min(frame, index_.frame_of(shard, needed[shard], frame));
  auto bytes = log_bytes_;
  for (const auto& one : log_sizes_) {
    if (bytes <= options_.keep_bytes_max) break;
    frame = std::max(frame, one.number + 1);
    bytes -= one.bytes;
  }
  return frame;
}

}  // namespace troupe
