#include "runtime/base/assert.hpp"
#include "runtime/journal/journal.hpp"

namespace troupe {
namespace {

store_error damaged(shard_id shard, std::uint64_t index, const char* how) {
  return {store_error::code::corrupt, "the log of shard " + std::to_string(shard) + " is damaged at entry " +
                                          std::to_string(index) + ": " + how + "; nothing was changed"};
}

/// One shard's log behind its applied mark, verified: whole entries, no gap, each epoch following the one
/// before.
struct log_tail {
  applied_mark applied;
  log_end end;
  std::uint64_t first_kept = 0;
  std::vector<std::pair<std::uint64_t, std::string>> chunks;  // first index, bytes
};

std::optional<store_error> read_tail(const store& from, shard_id shard, log_tail& tail) {
  tail.applied = from.applied(shard);
  tail.end = {tail.applied.index, tail.applied.epoch};
  std::optional<store_error> fault;
  from.scan_log(shard, tail.applied.index, [&](std::uint64_t first_index, std::string_view bytes) {
    chunk_view chunk;
    if (!decode_chunk(shard, first_index, bytes, chunk)) {
      fault = damaged(shard, first_index, "a record does not match its checksum");
      return false;
    }
    if (chunk.last_index() <= tail.applied.index) return true;  // applied, not yet dropped
    if (first_index > tail.end.index + 1) {
      fault = damaged(shard, tail.end.index + 1, "entries are missing");
      return false;
    }
    if (first_index == tail.end.index + 1 && chunk.previous_epoch != tail.end.epoch) {
      fault = damaged(shard, first_index, "it does not follow the entry before it");
      return false;
    }
    tail.chunks.emplace_back(first_index, std::string{bytes});
    tail.end = {chunk.last_index(), chunk.epoch};
    return true;
  });
  return fault;
}

}  // namespace

std::variant<std::vector<log_end>, store_error> journal::recover() {
  const auto marks = sync_mark::read(directory_);
  std::vector<log_tail> tails(store_.shard_count());
  // All is verified before anything is written.
  for (shard_id shard = 0; shard < store_.shard_count(); ++shard) {
    if (auto fault = read_tail(store_, shard, tails[shard])) return *fault;
    if (shard < marks.size() && tails[shard].end.index < marks[shard]) {
      return store_error{store_error::code::suspect,
                         "the log of shard " + std::to_string(shard) + " ends at entry " +
                             std::to_string(tails[shard].end.index) + " but " + std::to_string(marks[shard]) +
                             " was on disk before: the disk lost acknowledged data, the store is not used"};
    }
  }
  std::vector<log_end> ends;
  for (shard_id shard = 0; shard < store_.shard_count(); ++shard) {
    auto& tail = tails[shard];
    for (const auto& [first_index, bytes] : tail.chunks) {
      chunk_view chunk;
      TROUPE_ASSERT(decode_chunk(shard, first_index, bytes, chunk), "a verified chunk does not decode");
      auto index = chunk.first_index;
      for (const auto entry : chunk.entries) {
        if (index > tail.applied.index) buffer_.add(shard, index, chunk.epoch, entry);
        ++index;
      }
      // The buffer keeps views into `bytes`, so it is emptied before the next chunk can go.
      if (buffer_.entries() >= options_.apply_entries_max) {
        buffer_.flush_into(batch_);
        store_.write(batch_, store::durability::buffered);
        batch_.clear();
      }
    }
    auto& known = tails_[shard];
    known.synced = known.committed = known.applied = tail.end.index;
    known.kept_from = tail.end.index + 1;
    batch_.drop_log(shard, 0, tail.end.index + 1);
    ends.push_back(tail.end);
  }
  buffer_.flush_into(batch_);
  store_.write(batch_, store::durability::synced);
  batch_.clear();
  return ends;
}

}  // namespace troupe
