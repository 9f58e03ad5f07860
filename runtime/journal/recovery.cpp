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
/// each epoch following the one before.
class log_reader {
 public:
  explicit log_reader(const store& from) {
    for (shard_id shard = 0; shard < from.shard_count(); ++shard) {
      const auto mark = from.applied(shard);
      applied_.push_back(mark.index);
      ends_.push_back({mark.index, mark.epoch});
    }
  }
  const std::vector<log_end>& ends() const { return ends_; }

  /// Calls `take` for each entry that is not applied yet.
  template <class Take>
  std::optional<store_error> read(const log_frame::part& part, Take&& take) {
    if (part.shard >= ends_.size()) return damaged(entry_name(part.shard, part.first_index), "no such shard");
    if (!decode_chunk(part.shard, part.first_index, part.chunk, chunk_)) {
      return damaged(entry_name(part.shard, part.first_index), "a record does not match its checksum");
    }
    auto& end = ends_[part.shard];
    const auto applied = applied_[part.shard];
    if (chunk_.last_index() <= applied) return std::nullopt;  // not yet dropped
    if (chunk_.first_index > end.index + 1)
      return damaged(entry_name(part.shard, end.index + 1), "entries are missing");
    if (chunk_.first_index == end.index + 1 && chunk_.previous_epoch != end.epoch) {
      return damaged(entry_name(part.shard, part.first_index), "it does not follow the entry before it");
    }
    auto index = chunk_.first_index;
    for (const auto entry : chunk_.entries) {
      if (index > applied) take(part.shard, index, chunk_.epoch, entry);
      ++index;
    }
    end = {chunk_.last_index(), chunk_.epoch};
    return std::nullopt;
  }

 private:
  std::vector<std::uint64_t> applied_;
  std::vector<log_end> ends_;
  chunk_view chunk_;
};

/// Reads the whole log; `take` gets each entry that is to be applied, `end_of_frame` lets it write.
template <class Take, class EndOfFrame>
std::variant<log_reader, store_error> read_log(const store& from, Take&& take, EndOfFrame&& end_of_frame) {
  log_reader reader{from};
  std::optional<store_error> fault;
  std::vector<log_frame::part> parts;
  from.scan_log([&](std::uint64_t number, std::string_view frame) {
    parts.clear();
    if (!log_frame::decode(frame, parts)) {
      fault = damaged("frame " + std::to_string(number), "it does not decode");
      return false;
    }
    for (const auto& part : parts) {
      fault = reader.read(part, take);
      if (fault) return false;
    }
    end_of_frame(number);
    return true;
  });
  if (fault) return *fault;
  return reader;
}

std::optional<store_error> check_marks(const std::vector<std::uint64_t>& marks,
                                       const std::vector<log_end>& ends) {
  for (std::size_t shard = 0; shard < std::min(marks.size(), ends.size()); ++shard) {
    if (ends[shard].index >= marks[shard]) continue;
    return store_error{store_error::code::suspect,
                       "the log of shard " + std::to_string(shard) + " ends at entry " +
                           std::to_string(ends[shard].index) + " but " + std::to_string(marks[shard]) +
                           " was on disk before: the disk lost acknowledged data, the store is not used"};
  }
  return std::nullopt;
}

}  // namespace

std::variant<std::vector<log_end>, store_error> journal::recover() {
  // All is verified before anything is written.
  auto verified = read_log(
      store_, [](shard_id, std::uint64_t, std::uint64_t, std::string_view) {}, [](std::uint64_t) {});
  if (auto* fault = std::get_if<store_error>(&verified)) return *fault;
  const auto ends = std::get<log_reader>(verified).ends();
  if (auto fault = check_marks(sync_mark::read(directory_, store_.disk()), ends)) return *fault;

  apply_buffer replayed{store_.shard_count(), apply_buffer::mode::replaying};
  const auto write = [&](std::uint64_t number) {
    next_frame_ = number + 1;
    replayed.flush_into(batch_);  // the entries' bytes live only as long as the frame is read
    store_.write(batch_, store::durability::buffered);
    batch_.clear();
  };
  auto applied = read_log(
      store_,
      [&](shard_id shard, std::uint64_t index, std::uint64_t epoch, std::string_view entry) {
        replayed.add(shard, index, epoch, entry);
      },
      write);
  TROUPE_ASSERT(std::holds_alternative<log_reader>(applied), "the verified log reads no more");
  batch_.drop_frames(0, next_frame_);
  store_.write(batch_, store::durability::synced);
  batch_.clear();
  first_frame_ = next_frame_;
  for (std::size_t shard = 0; shard < ends.size(); ++shard) {
    tails_[shard].synced = tails_[shard].committed = tails_[shard].applied = ends[shard].index;
  }
  return ends;
}

}  // namespace troupe
