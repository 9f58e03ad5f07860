#include "runtime/journal/apply_buffer.hpp"

#include "runtime/base/assert.hpp"
#include "runtime/entity/table.hpp"
#include "runtime/store/reply_record.hpp"

namespace troupe {

void apply_buffer::add(shard_id shard, std::uint64_t index, std::uint64_t epoch,
                       std::string_view entry_bytes) {
  TROUPE_ASSERT(!flushing_, "an entry was added during a flush");
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
  if (scratch_.head.at.ms != 0) stamps_[shard] = scratch_.head.at;
  ++entries_;
}

void apply_buffer::add_rows(shard_id shard, const entry_view& entry) {
  const auto& head = entry.head;
  if (entry.rows.empty()) return;
  const entity_ref entity{head.kind, std::string{head.key}};
  key_ = keys::table_prefix(shard, entity, state_table);
  const auto table_at = key_.size() - 1;
  for (const auto& row : entry.rows) {
    key_.resize(table_at);
    key_.push_back(static_cast<char>(row.table));
    key_.append(row.key);
    if (row.erased) {
      rows_.erase(key_);
    } else {
      rows_.put(key_, row.value);
    }
  }
}

void apply_buffer::add_effects(shard_id shard, std::uint64_t index, const entry_view& entry) {
  const auto& head = entry.head;
  if (head.cause == entry_cause::command && !head.command_id.empty()) {
    auto& reply = replies_.emplace_back();
    reply.shard = shard;
    reply.command_id = head.command_id;
    bytes_.clear();
    reply_record{head.at, head.fingerprint, head.version, head.reply}.encode_to(bytes_);
    reply.record = rows_.keep(bytes_);
  }
  if (head.cause == entry_cause::delivery) {
    put_new(keys::message(shard, row_section::received, head.source, head.sent), std::string(1, row_format));
  }
  const entity_ref self{head.kind, std::string{head.key}};
  if (head.cause == entry_cause::timer) rows_.erase(keys::timer(shard, self, head.fired));
  for (const auto& timer : entry.timers_set) {
    put_new(keys::timer(shard, self, timer.id), encode_timer_row(timer.message, timer.body));
  }
  for (const auto& id : entry.timers_cancelled) rows_.erase(keys::timer(shard, self, id));
  std::uint16_t position = 0;
  for (const auto& send : entry.sends) {
    const auto destination = shard_of(send.target, shard_count_);
    put_new(keys::message(shard, row_section::outbox, destination, {index, position++}),
            encode_outbox_row(send));
  }
  for (const auto& [peer, id] : entry.arrived)
    rows_.erase(keys::message(shard, row_section::outbox, peer, id));
  for (const auto& [peer, id] : entry.forgotten)
    rows_.erase(keys::message(shard, row_section::received, peer, id));
  // A peer's receipts go in order: the last one of a run says how far.
  for (auto one = entry.forgotten.begin(); one != entry.forgotten.end(); ++one) {
    const auto next = std::next(one);
    if (next != entry.forgotten.end() && next->first == one->first) continue;
    rows_.put(keys::channel(shard, row_section::settled, one->first),
              rows_.keep(encode_settled_row(behind(one->second))));
  }
}

void apply_buffer::put_new(std::string_view key, std::string_view value) {
  if (mode_ == mode::running) {
    rows_.put_new(key, rows_.keep(value));
  } else {
    rows_.put(key, rows_.keep(value));
  }
}

void apply_buffer::begin_flush() {
  TROUPE_ASSERT(!flushing_, "one flush at a time");
  flushing_ = true;
  // In key order, so that the memtable finds each place beside the one before and not by a search from its
  // top.
  sorted_rows_ = rows_.sorted();
  next_row_ = 0;
  next_reply_ = 0;
}

bool apply_buffer::write_slice(store_batch& batch, std::size_t rows_max) {
  std::size_t written = 0;
  for (; next_row_ < sorted_rows_.size() && written < rows_max; ++next_row_, ++written) {
    const auto& row = *sorted_rows_[next_row_];
    if (row.is_erased) {
      batch.erase_row(row.key);
    } else {
      batch.put_row(row.key, row.value);
    }
  }
  for (; next_reply_ < replies_.size() && written < rows_max; ++next_reply_, ++written) {
    const auto& reply = replies_[next_reply_];
    batch.put_reply(reply.shard, reply.command_id, reply.record);
  }
  if (next_row_ < sorted_rows_.size() || next_reply_ < replies_.size()) return false;
  for (const auto& [shard, start] : epoch_starts_)
    batch.put_epoch_start(shard, start.epoch, start.first_index);
  for (const auto& [shard, mark] : marks_) batch.put_applied(shard, mark);
  for (const auto& [shard, stamp] : stamps_) batch.put_stamp(shard, stamp);
  epoch_starts_.clear();
  stamps_.clear();
  sorted_rows_ = {};
  rows_.clear();
  replies_ = {};
  marks_.clear();
  entries_ = 0;
  flushing_ = false;
  return true;
}

std::string encode_settled_row(send_id below) {
  std::string out(1, row_format);
  byte_writer w{out};
  w.u64_be(below.index);
  w.u16_be(below.position);
  return out;
}

std::optional<send_id> decode_settled_row(std::string_view bytes) {
  byte_reader in{bytes};
  if (in.u8() != static_cast<std::uint8_t>(row_format)) return std::nullopt;
  send_id below;
  below.index = in.u64_be();
  below.position = in.u16_be();
  if (!in.ok()) return std::nullopt;
  return below;
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
