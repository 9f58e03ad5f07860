#include "runtime/journal/apply_buffer.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/entity/table.hpp"
#include "runtime/store/reply_record.hpp"

namespace troupe {

void apply_buffer::add(shard_id shard, std::uint64_t index, std::uint64_t epoch,
                       std::string_view entry_bytes) {
  // Housekeeping has no key: a view left from the entry before may point into freed memory.
  scratch_.head = {};
  scratch_.rows.clear();
  scratch_.sends.clear();
  scratch_.timers_set.clear();
  scratch_.timers_cancelled.clear();
  scratch_.arrived.clear();
  scratch_.forgotten.clear();
  TROUPE_ASSERT(decode_entry(entry_bytes, scratch_), "log entry " + std::to_string(index) + " of shard " +
                                                         std::to_string(shard) + " does not decode");
  add_rows(shard, scratch_);
  add_effects(shard, index, scratch_);
  auto& mark = marks_[shard];
  TROUPE_ASSERT(mark.index < index, "entries are applied in order");
  mark = {index, epoch};
  ++entries_;
}

void apply_buffer::add_rows(shard_id shard, const entry_view& entry) {
  const auto& head = entry.head;
  if (entry.rows.empty()) return;
  const entity_ref entity{head.kind, std::string{head.key}};
  auto base = keys::table_prefix(shard, entity, state_table);
  base.pop_back();
  for (const auto& row : entry.rows) {
    std::string key;
    key.reserve(base.size() + 1 + row.key.size());
    key.append(base);
    key.push_back(static_cast<char>(row.table));
    key.append(row.key);
    if (row.erased) {
      erase(std::move(key));
    } else {
      put(std::move(key), row.value);
    }
  }
}

void apply_buffer::add_effects(shard_id shard, std::uint64_t index, const entry_view& entry) {
  const auto& head = entry.head;
  if (head.cause == entry_cause::command && !head.command_id.empty()) {
    auto& reply = replies_.emplace_back();
    reply.shard = shard;
    reply.command_id = head.command_id;
    reply_record{head.at, head.fingerprint, head.version, head.reply}.encode_to(reply.record);
  }
  if (head.cause == entry_cause::delivery) {
    put_new(keys::message(shard, row_section::received, head.source, head.sent), std::string(1, row_format));
  }
  const entity_ref self{head.kind, std::string{head.key}};
  if (head.cause == entry_cause::timer) erase(keys::timer(shard, self, head.fired));
  for (const auto& timer : entry.timers_set) {
    put_new(keys::timer(shard, self, timer.id), encode_timer_row(timer.message, timer.body));
  }
  for (const auto& id : entry.timers_cancelled) erase(keys::timer(shard, self, id));
  std::uint16_t position = 0;
  for (const auto& send : entry.sends) {
    const auto destination = shard_of(send.target, shard_count_);
    put_new(keys::message(shard, row_section::outbox, destination, {index, position++}),
            encode_outbox_row(send));
  }
  for (const auto& [peer, id] : entry.arrived) erase(keys::message(shard, row_section::outbox, peer, id));
  for (const auto& [peer, id] : entry.forgotten) erase(keys::message(shard, row_section::received, peer, id));
}

void apply_buffer::put_new(std::string key, std::string value) {
  auto& row = rows_[std::move(key)];
  row.is_new = mode_ == mode::running;
  row.owned = std::move(value);
  row.borrowed = {};
  row.erased = false;
}

void apply_buffer::erase(std::string key) {
  const auto [it, inserted] = rows_.try_emplace(std::move(key));
  if (!inserted && it->second.is_new) {
    rows_.erase(it);
    return;
  }
  it->second = buffered_row{{}, {}, true, false};
}

void apply_buffer::begin_flush() {
  TROUPE_ASSERT(!flushing_, "one flush at a time");
  flushing_ = true;
  flushing_rows_ = std::exchange(rows_, {});
  // In key order, so that the memtable finds each place beside the one before and not by a search from its
  // top.
  sorted_rows_.clear();
  sorted_rows_.reserve(flushing_rows_.size());
  for (const auto& row : flushing_rows_) sorted_rows_.push_back(&row);
  std::sort(sorted_rows_.begin(), sorted_rows_.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  next_row_ = 0;
  flushing_replies_ = std::exchange(replies_, {});
  next_reply_ = 0;
  flushing_marks_ = std::exchange(marks_, {});
  entries_ = 0;
}

bool apply_buffer::write_slice(store_batch& batch, std::size_t rows_max) {
  std::size_t written = 0;
  for (; next_row_ < sorted_rows_.size() && written < rows_max; ++next_row_, ++written) {
    const auto& [key, row] = *sorted_rows_[next_row_];
    if (row.erased) {
      batch.erase_row(key);
    } else {
      batch.put_row(key, row.owned.empty() ? row.borrowed : std::string_view{row.owned});
    }
  }
  for (; next_reply_ < flushing_replies_.size() && written < rows_max; ++next_reply_, ++written) {
    const auto& reply = flushing_replies_[next_reply_];
    batch.put_reply(reply.shard, reply.command_id, reply.record);
  }
  if (next_row_ < sorted_rows_.size() || next_reply_ < flushing_replies_.size()) return false;
  for (const auto& [shard, mark] : flushing_marks_) batch.put_applied(shard, mark);
  flushing_rows_.clear();
  flushing_replies_.clear();
  flushing_marks_.clear();
  flushing_ = false;
  return true;
}

std::string encode_outbox_row(const entry_view::sent_message& message) {
  std::string out(1, row_format);
  byte_writer w{out};
  w.u8(static_cast<std::uint8_t>(message.target.kind));
  w.sized(message.target.key);
  w.u8(static_cast<std::uint8_t>(message.message));
  w.raw(message.body);
  return out;
}

bool decode_outbox_row(std::string_view bytes, outbound& message) {
  byte_reader in{bytes};
  if (in.u8() != row_format) return false;
  message.target.kind = static_cast<kind_id>(in.u8());
  message.target.key = std::string{in.sized()};
  message.message = static_cast<message_no>(in.u8());
  message.body = std::string{in.rest()};
  return in.ok();
}

std::string encode_timer_row(message_no message, std::string_view body) {
  std::string out(1, row_format);
  byte_writer w{out};
  w.u8(static_cast<std::uint8_t>(message));
  w.raw(body);
  return out;
}

bool decode_timer_row(std::string_view key_behind_section, std::string_view value, stored_timer& timer) {
  byte_reader key{key_behind_section};
  timer.timer.id.due.ms = static_cast<std::int64_t>(key.u64_be());
  timer.entity.kind = static_cast<kind_id>(key.u8());
  timer.entity.key = std::string{key.raw(key.u8())};
  timer.timer.id.number = key.u64_be();
  byte_reader in{value};
  if (in.u8() != row_format) return false;
  timer.timer.message = static_cast<message_no>(in.u8());
  timer.timer.body = std::string{in.rest()};
  return key.ok() && key.at_end() && in.ok();
}

}  // namespace troupe
