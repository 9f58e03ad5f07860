#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/assert.hpp"
#include "runtime/journal/entry.hpp"
#include "runtime/journal/log_write.hpp"
#include "runtime/journal/row_buffer.hpp"
#include "runtime/store/store.hpp"

namespace troupe {

/// Gathers what committed entries do to the store and writes each row once: the state of a hot entity changes
/// thousands of times between two flushes, an outbox row mostly comes and goes. Runs no domain code; used by
/// the primary, at restart, and by backups. Used by one thread.
///
/// A flush is written in slices, rows first and the applied marks last. That is safe because entries are
/// physical: after a crash in between, replaying from the old marks writes the same rows again.
class apply_buffer {
 public:
  /// While replaying, a row that comes and goes may already be in the store, so its end must be written;
  /// otherwise neither is.
  enum class mode { running, replaying };
  apply_buffer(std::uint16_t shard_count, mode how) : shard_count_(shard_count), mode_(how) {}
  /// For what is added from now on, while nothing is waiting to be written.
  void set_mode(mode how) {
    TROUPE_ASSERT(entries_ == 0, "rows of another mode are waiting");
    mode_ = how;
  }

  /// `entry_bytes` must live until the flush that follows has ended: rows are kept as views. Not while a
  /// flush is under way.
  void add(shard_id shard, std::uint64_t index, std::uint64_t epoch, std::string_view entry_bytes);
  /// The next entry of the shard is the first of that epoch.
  void begin_epoch(shard_id shard, epoch_start start) { epoch_starts_.emplace_back(shard, start); }
  std::size_t entries() const { return entries_; }

  /// Puts what was added in order for writing.
  void begin_flush();
  bool is_flushing() const { return flushing_; }
  /// Puts up to `rows_max` rows into the batch. True when that was the last of the flush, marks included.
  bool write_slice(store_batch& batch, std::size_t rows_max);
  /// Everything at once.
  void flush_into(store_batch& batch) {
    begin_flush();
    write_slice(batch, std::numeric_limits<std::size_t>::max());
  }

 private:
  struct buffered_reply {
    shard_id shard = 0;
    std::string_view command_id;
    std::string_view record;
  };

  void add_rows(shard_id shard, const entry_view& entry);
  void add_effects(shard_id shard, std::uint64_t index, const entry_view& entry);
  void put_new(std::string_view key, std::string_view value);

  std::uint16_t shard_count_;
  mode mode_;
  row_buffer rows_;
  std::vector<buffered_reply> replies_;
  std::unordered_map<shard_id, applied_mark> marks_;
  std::unordered_map<shard_id, timestamp> stamps_;
  std::vector<std::pair<shard_id, epoch_start>> epoch_starts_;
  std::size_t entries_ = 0;
  entry_view scratch_;
  std::string key_;    // scratch
  std::string bytes_;  // scratch

  bool flushing_ = false;
  std::vector<const row_buffer::row*> sorted_rows_;
  std::size_t next_row_ = 0;
  std::size_t next_reply_ = 0;
};

/// The stored forms of outbox messages and timers.
std::string encode_settled_row(send_id below);
std::optional<send_id> decode_settled_row(std::string_view bytes);
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
