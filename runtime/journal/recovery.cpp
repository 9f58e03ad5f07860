#include "runtime/base/assert.hpp"
#include "runtime/journal/journal.hpp"

namespace troupe {
namespace {

store_error damaged(const std::string& where, const char* how) {
  return {store_error::code::corrupt,
          "the log is damaged at " + where + ": " + how + "; nothing was changed"};
}

std::string entry_name(shard_id shard, std::uint64_t index) {
  return "entry " + std::to_string(index) + " of shard " + std::to_string(shard);
}

/// Follows each shard's log through the frames and holds it against what is applied: whole entries, no gap,
/// each epoch following the one before. Keeps what is not applied.
class log_reader {
 public:
  explicit log_reader(const store& from) : shards_(from.shard_count()), kept_(from.shard_count()) {
    for (shard_id shard = 0; shard < from.shard_count(); ++shard) {
      auto& one = shards_[shard];
      const auto mark = from.applied(shard);
      one.meta = from.meta(shard);
      one.applied = one.last = mark.index;
      for (const auto& [epoch, first_index] : from.epoch_starts(shard))
        if (first_index <= mark.index) one.history.push_back({epoch, first_index});
      // Rows of a time before epochs were recorded: all of one, as far as anybody can ask.
      if (one.history.empty() && mark.index > 0) one.history.push_back({mark.epoch, 1});
    }
  }

  std::optional<store_error> read(std::uint64_t frame, const log_frame::part& part) {
    if (part.shard >= shards_.size())
      return damaged(entry_name(part.shard, part.first_index), "no such shard");
    if (part.chunk.empty()) return cut(part.shard, part.first_index);
    if (!decode_chunk(part.shard, part.first_index, part.chunk, chunk_)) {
      return damaged(entry_name(part.shard, part.first_index), "a record does not match its checksum");
    }
    auto& shard = shards_[part.shard];
    if (chunk_.last_index() <= shard.applied) return std::nullopt;  // not yet dropped
    if (chunk_.first_index > shard.last + 1)
      return damaged(entry_name(part.shard, shard.last + 1), "entries are missing");
    const bool follows = chunk_.first_index == shard.last + 1;
    if (follows && chunk_.previous_epoch != shard.last_epoch())
      return damaged(entry_name(part.shard, part.first_index), "it does not follow the entry before it");
    if (chunk_.epoch < chunk_.previous_epoch)
      return damaged(entry_name(part.shard, part.first_index), "its epoch is older than the one before");
    if (follows && chunk_.epoch != chunk_.previous_epoch)
      shard.history.push_back({chunk_.epoch, chunk_.first_index});
    shard.last = chunk_.last_index();
    kept_[part.shard].push_back({part.shard, chunk_.first_index, chunk_.last_index(),
                                 std::make_shared<const std::string>(part.chunk), frame, true});
    return std::nullopt;
  }

  std::vector<recovered_shard>& shards() { return shards_; }
  std::deque<log_chunk>& kept(shard_id shard) { return kept_[shard]; }

 private:
  std::optional<store_error> cut(shard_id id, std::uint64_t first_index) {
    auto& shard = shards_[id];
    if (first_index <= shard.applied || first_index > shard.last + 1)
      return damaged(entry_name(id, first_index), "it cannot have been cut off");
    shard.last = first_index - 1;
    while (!shard.history.empty() && shard.history.back().first_index >= first_index)
      shard.history.pop_back();
    auto& chunks = kept_[id];
    while (!chunks.empty() && chunks.back().first_index >= first_index) chunks.pop_back();
    if (!chunks.empty() && chunks.back().last_index >= first_index) {
      auto& last = chunks.back();
      last.bytes =
          std::make_shared<const std::string>(chunk_prefix(*last.bytes, first_index - last.first_index));
      last.last_index = first_index - 1;
    }
    return std::nullopt;
  }

  std::vector<recovered_shard> shards_;
  std::vector<std::deque<log_chunk>> kept_;
  chunk_view chunk_;
};

std::optional<store_error> check_marks(const std::vector<std::uint64_t>& marks,
                                       const std::vector<recovered_shard>& shards) {
  for (std::size_t shard = 0; shard < std::min(marks.size(), shards.size()); ++shard) {
    if (shards[shard].last >= marks[shard]) continue;
    return store_error{store_error::code::suspect,
                       "the log of shard " + std::to_string(shard) + " ends at entry " +
                           std::to_string(shards[shard].last) + " but " + std::to_string(marks[shard]) +
                           " was on disk before: the disk lost acknowledged data, the store is not used"};
  }
  return std::nullopt;
}

}  // namespace

std::variant<std::vector<recovered_shard>, store_error> journal::recover() {
  log_reader reader{store_};
  std::optional<store_error> fault;
  std::vector<log_frame::part> parts;
  store_.scan_log([&](std::uint64_t number, std::string_view frame) {
    parts.clear();
    const bool is_next = frames_.empty() || number == frames_.back().number + 1;
    if (!is_next) fault = damaged("frame " + std::to_string(number), "the one before it is missing");
    if (is_next && !log_frame::decode(frame, parts))
      fault = damaged("frame " + std::to_string(number), "it does not decode");
    for (const auto& part : parts)
      if (!fault) fault = reader.read(number, part);
    frames_.push_back({number, 0});
    kept_bytes_ += frame.size();
    return !fault;
  });
  if (!fault) fault = check_marks(sync_mark::read(directory_, store_.disk()), reader.shards());
  if (fault) return *fault;

  if (!frames_.empty()) {
    first_frame_ = frames_.front().number;
    next_frame_ = frames_.back().number + 1;
  }
  for (shard_id shard = 0; shard < store_.shard_count(); ++shard) {
    auto& tail = tails_[shard];
    tail.unapplied = std::move(reader.kept(shard));
    tail.synced = reader.shards()[shard].last;
    tail.committed = reader.shards()[shard].applied;
    for (const auto& chunk : tail.unapplied) {
      ++frames_[chunk.frame - first_frame_].unapplied_chunks;
      unapplied_entries_ += chunk.last_index - chunk.first_index + 1;
    }
  }
  oldest_unapplied_ = std::chrono::steady_clock::now();
  return std::move(reader.shards());
}

}  // namespace troupe
