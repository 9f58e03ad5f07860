#include "runtime/base/assert.hpp"
#include "runtime/journal/journal.hpp"

namespace troupe {
namespace {

store_error damaged(const std::string& where, const char* how) {
  return {store_error::code::corrupt,
          "the log is damaged at " + where + ": " + how + "; its data is left as it is"};
}

std::string entry_name(shard_id shard, std::uint64_t index) {
  return "entry " + std::to_string(index) + " of shard " + std::to_string(shard);
}

/// Follows each shard's log through the frames, as it was written: whole entries, no gap, each epoch
/// following the one before, and what was cut off gone again. Keeps what is not applied. The rows may be the
/// state after a later entry than those of the first frames, which are dropped in large steps.
class log_reader {
 public:
  log_reader(const store& from, log_index& index) : store_(from), index_(index), shards_(from.shard_count()) {
    for (shard_id id = 0; id < shards_.size(); ++id) shards_[id].applied = from.applied(id);
  }

  std::optional<store_error> read(std::uint64_t frame, std::uint32_t place, const log_frame::part& part) {
    if (part.shard >= shards_.size())
      return damaged(entry_name(part.shard, part.first_index), "no such shard");
    if (part.chunk.empty()) return cut(part.shard, part.first_index);
    if (part.chunk == log_frame::log_begins) return begin_behind(part.shard, part.first_index - 1);
    if (!decode_chunk(part.shard, part.first_index, part.chunk, chunk_))
      return damaged(entry_name(part.shard, part.first_index), "a record does not match its checksum");
    auto& shard = shards_[part.shard];
    if (const auto* how = fault_in_place(shard)) {
      if (shard.has_begun) return damaged(entry_name(part.shard, part.first_index), how);
      // What it followed may have been cut off together with it, and be dropped already.
      shard.unless_cut = {how, part.first_index};
    }
    const bool begins_epoch = chunk_.epoch != chunk_.previous_epoch;
    if (shard.epochs.empty() || shard.epochs.back().start.epoch != chunk_.epoch)
      shard.epochs.push_back({{chunk_.epoch, chunk_.first_index}, begins_epoch});
    shard.has_begun = true;
    shard.last = chunk_.last_index();
    index_.add(part.shard,
               {part.first_index, frame, place, static_cast<std::uint32_t>(chunk_.entries.size())});
    if (shard.last > shard.applied.index)
      shard.kept.push_back({part.shard, chunk_.first_index, shard.last,
                            std::make_shared<const std::string>(part.chunk), frame, true});
    return std::nullopt;
  }

  /// After the last frame.
  std::variant<std::vector<recovered_shard>, store_error> finish() const {
    std::vector<recovered_shard> found;
    for (shard_id id = 0; id < shards_.size(); ++id) {
      const auto& shard = shards_[id];
      const auto applied = shard.applied.index;
      if (shard.unless_cut.how != nullptr)
        return damaged(entry_name(id, shard.unless_cut.first_index), shard.unless_cut.how);
      if (shard.has_begun && shard.last < applied)
        return damaged(entry_name(id, applied), "it is applied, and the log ends before it");
      recovered_shard one;
      one.meta = store_.meta(id);
      one.applied = applied;
      one.last = shard.has_begun ? shard.last : applied;
      one.committed = std::clamp(store_.applying(id).value_or(0), applied, one.last);
      for (const auto& [epoch, first_index] : store_.epoch_starts(id))
        if (first_index <= applied) one.history.push_back({epoch, first_index});
      // Rows of a time before epochs were recorded: all of one, as far as anybody can ask.
      if (one.history.empty() && applied > 0) one.history.push_back({shard.applied.epoch, 1});
      for (const auto& [start, is_first_entry] : shard.epochs)
        if (is_first_entry && start.first_index > applied) one.history.push_back(start);
      found.push_back(std::move(one));
    }
    return found;
  }
  std::deque<log_chunk>& kept(shard_id shard) { return shards_[shard].kept; }

 private:
  struct seen_epoch {
    epoch_start start;
    bool is_first_entry = false;  // else the log that is left begins within that epoch
  };
  struct fault_at_start {
    const char* how = nullptr;  // null: none
    std::uint64_t first_index = 0;
  };
  struct followed_shard {
    applied_mark applied;
    bool has_begun = false;
    fault_at_start unless_cut;
    std::uint64_t last = 0;
    std::vector<seen_epoch> epochs;
    std::deque<log_chunk> kept;
  };

  /// Why the chunk at hand cannot stand where it does; null when it can.
  const char* fault_in_place(const followed_shard& shard) const {
    const auto first = chunk_.first_index;
    if (chunk_.epoch < chunk_.previous_epoch) return "its epoch is older than the one before";
    if (!shard.has_begun) {
      if (first > shard.applied.index + 1) return "entries before it are missing";
      const bool follows_rows = first == shard.applied.index + 1;
      return follows_rows && chunk_.previous_epoch != shard.applied.epoch
                 ? "it does not follow what is applied"
                 : nullptr;
    }
    if (first > shard.last + 1) return "entries before it are missing";
    if (first <= shard.last) return "another entry stands there";
    // Not known when the log that is left begins with a cut.
    const bool is_known = !shard.epochs.empty();
    return is_known && chunk_.previous_epoch != shard.epochs.back().start.epoch
               ? "it does not follow the entry before it"
               : nullptr;
  }

  /// A snapshot was installed: in the same write its rows have become the shard.
  std::optional<store_error> begin_behind(shard_id id, std::uint64_t index) {
    auto& shard = shards_[id];
    if (shard.applied.index < index)
      return damaged(entry_name(id, index), "the log begins behind it, and the rows are older");
    index_.clear(id);
    shard = {.applied = shard.applied,
             .has_begun = true,
             .unless_cut = {},
             .last = index,
             .epochs = {},
             .kept = {}};
    return std::nullopt;
  }

  std::optional<store_error> cut(shard_id id, std::uint64_t first_index) {
    auto& shard = shards_[id];
    if (first_index == 0 || (shard.has_begun && first_index > shard.last + 1))
      return damaged(entry_name(id, first_index), "what was cut off was not there");
    shard.has_begun = true;
    index_.cut(id, first_index);
    shard.last = first_index - 1;
    if (first_index <= shard.unless_cut.first_index) shard.unless_cut = {};
    while (!shard.epochs.empty() && shard.epochs.back().start.first_index >= first_index)
      shard.epochs.pop_back();
    auto& chunks = shard.kept;
    while (!chunks.empty() && chunks.back().first_index >= first_index) chunks.pop_back();
    if (!chunks.empty() && chunks.back().last_index >= first_index) {
      auto& last = chunks.back();
      last.bytes =
          std::make_shared<const std::string>(chunk_prefix(*last.bytes, first_index - last.first_index));
      last.last_index = first_index - 1;
    }
    // What is left of a chunk may be older than the rows, which another entry has written since.
    if (!chunks.empty() && chunks.back().last_index <= shard.applied.index) chunks.pop_back();
    return std::nullopt;
  }

  const store& store_;
  log_index& index_;
  std::vector<followed_shard> shards_;
  chunk_view chunk_;
};

std::optional<store_error> check_mark(const synced_state& mark, const std::vector<recovered_shard>& shards) {
  for (std::size_t shard = 0; shard < std::min(mark.ends.size(), shards.size()); ++shard)
    if (shards[shard].last < mark.ends[shard])
      return lost_data("the log of shard " + std::to_string(shard) + " ends at entry " +
                       std::to_string(shards[shard].last) + " but " + std::to_string(mark.ends[shard]));
  return std::nullopt;
}

}  // namespace

std::variant<std::vector<recovered_shard>, store_error> journal::recover() {
  log_reader reader{store_, index_};
  std::optional<store_error> fault;
  std::vector<log_frame::part> parts;
  store_.scan_log([&](std::uint64_t number, std::string_view frame) {
    parts.clear();
    const bool is_next = frames_.empty() || number == frames_.back().number + 1;
    if (!is_next) fault = damaged("frame " + std::to_string(number), "the one before it is missing");
    if (is_next && !log_frame::decode(frame, parts))
      fault = damaged("frame " + std::to_string(number), "it does not decode");
    std::uint32_t place = 0;
    for (const auto& part : parts)
      if (!fault) fault = reader.read(number, place++, part);
    frames_.push_back({number, 0});
    log_sizes_.push_back({number, frame.size()});
    log_bytes_ += frame.size();
    return !fault;
  });
  if (fault) return *fault;
  auto found = reader.finish();
  if (std::holds_alternative<store_error>(found)) return found;
  const auto& shards = std::get<std::vector<recovered_shard>>(found);
  const auto mark = sync_mark::read(directory_, store_.disk());
  if ((fault = check_mark(mark, shards))) return *fault;
  synced_sequence_ = store_.sequence_found();

  if (!frames_.empty()) next_frame_ = frames_.back().number + 1;
  for (shard_id shard = 0; shard < store_.shard_count(); ++shard) {
    auto& tail = tails_[shard];
    tail.unapplied = std::move(reader.kept(shard));
    tail.synced = shards[shard].last;
    tail.committed = shards[shard].applied;
    for (const auto& chunk : tail.unapplied) {
      ++frames_[chunk.frame - frames_.front().number].unapplied_chunks;
      unapplied_entries_ += chunk.last_index - chunk.first_index + 1;
    }
  }
  oldest_unapplied_ = std::chrono::steady_clock::now();
  return found;
}

}  // namespace troupe
