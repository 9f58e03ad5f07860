#include "runtime/journal/log_index.hpp"

#include <algorithm>

namespace troupe {

void log_index::add(shard_id shard, const place& where) {
  const std::lock_guard lock{mutex_};
  shards_[shard].push_back(where);
}

void log_index::cut(shard_id shard, std::uint64_t first_index) {
  const std::lock_guard lock{mutex_};
  auto& in = shards_[shard];
  while (!in.empty() && in.back().first_index >= first_index) in.pop_back();
  if (!in.empty() && in.back().last_index() >= first_index)
    in.back().entries = static_cast<std::uint32_t>(first_index - in.back().first_index);
}

void log_index::clear(shard_id shard) {
  const std::lock_guard lock{mutex_};
  shards_[shard].clear();
}

void log_index::drop_frames_before(std::uint64_t frame) {
  const std::lock_guard lock{mutex_};
  for (auto& in : shards_)
    while (!in.empty() && in.front().frame < frame) in.pop_front();
}

std::uint64_t log_index::first(shard_id shard) const {
  const std::lock_guard lock{mutex_};
  return shards_[shard].empty() ? 0 : shards_[shard].front().first_index;
}

/// The chunk that holds the entry, or the first one behind it.
log_index::places::const_iterator log_index::at(const places& in, std::uint64_t index) {
  return std::partition_point(in.begin(), in.end(), [=](const place& p) { return p.last_index() < index; });
}

std::uint64_t log_index::frame_of(shard_id shard, std::uint64_t index, std::uint64_t otherwise) const {
  const std::lock_guard lock{mutex_};
  const auto& in = shards_[shard];
  const auto found = at(in, index);
  return found == in.end() ? otherwise : found->frame;
}

std::vector<log_index::place> log_index::find(shard_id shard, std::uint64_t first_index,
                                              std::size_t places_max) const {
  const std::lock_guard lock{mutex_};
  const auto& in = shards_[shard];
  auto found = at(in, first_index);
  std::vector<place> out;
  if (found == in.end() || found->first_index > first_index) return out;
  for (; found != in.end() && out.size() < places_max; ++found) out.push_back(*found);
  return out;
}

}  // namespace troupe
