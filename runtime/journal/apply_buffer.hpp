#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/journal/entry.hpp"
#include "runtime/store/store.hpp"

namespace troupe {

/// Gathers what committed entries do to the store and writes each row once: the state of a hot entity changes
/// thousands of times between two flushes, an outbox row often comes and goes. Runs no domain code; used by
/// the primary, at restart, and by backups. Owned by the journal's thread.
class apply_buffer {
 public:
  explicit apply_buffer(std::uint16_t shard_count) : shard_count_(shard_count) {}
  /// The bytes' chunk must outlive the next flush: rows are kept as views.
  void add(shard_id shard, std::uint64_t index, std::uint64_t epoch, std::string_view entry_bytes);
  /// Moves everything into the batch, the shards' applied marks with it.
  void flush_into(store_batch& batch);

  std::size_t entries() const { return entries_; }

 private:
  void add_rows(shard_id shard, const entry_view& entry);
  void add_effects(shard_id shard, std::uint64_t index, const entry_view& entry);
  void put(std::string key, std::string_view value) {
    rows_[std::move(key)] = buffered_row{std::string{}, value, false};
  }
  void put_owned(std::string key, std::string value);
  void erase(std::string key) { rows_[std::move(key)] = buffered_row{std::string{}, {}, true}; }

  struct buffered_row {
    std::string owned;  // holds the value when it is not a view into a chunk
    std::string_view borrowed;
    bool erased = false;
  };
  struct buffered_reply {
    shard_id shard;
    std::string_view command_id;
    std::string record;
  };
  std::uint16_t shard_count_;
  std::unordered_map<std::string, buffered_row> rows_;
  std::vector<buffered_reply> replies_;
  std::unordered_map<shard_id, applied_mark> marks_;
  std::size_t entries_ = 0;
  entry_view scratch_;
};

/// The stored forms of outbox messages and timers.
std::string encode_outbox_row(const entry_view::sent_message& message);
[[nodiscard]] bool decode_outbox_row(std::string_view bytes, outbound& message);
std::string encode_timer_row(message_no message, std::string_view body);
struct stored_timer {
  entity_ref entity;
  timer_set timer;
};
[[nodiscard]] bool decode_timer_row(std::string_view key_behind_section, std::string_view value,
                                    stored_timer& timer);

}  // namespace troupe
