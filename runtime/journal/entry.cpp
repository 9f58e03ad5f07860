#include "runtime/journal/entry.hpp"

#include "runtime/base/assert.hpp"
#include "runtime/base/bytes.hpp"
#include "runtime/base/hash.hpp"

namespace troupe {
namespace {

constexpr std::uint8_t entry_format = 1;
constexpr std::uint8_t chunk_format = 1;

/// Ties an entry's bytes to its place, so that a record that strayed does not pass for another.
std::uint32_t place_checksum(shard_id shard, std::uint64_t index, std::uint64_t epoch,
                             std::string_view entry) {
  const std::uint64_t place = (index * 0x9e3779b97f4a7c15ULL) ^ (epoch << 16U) ^ shard;
  return static_cast<std::uint32_t>(stable_hash(entry, place));
}

void write_timer_id(byte_writer& w, const timer_id& id) {
  w.zigzag(id.due.ms);
  w.varint(id.number);
}

timer_id read_timer_id(byte_reader& in) {
  timer_id id;
  id.due.ms = in.zigzag();
  id.number = in.varint();
  return id;
}

bool is_about_entity(entry_cause cause) {
  return cause != entry_cause::housekeeping && cause != entry_cause::barrier;
}

void write_head(byte_writer& w, const entry_head& head) {
  w.u8(entry_format);
  w.u8(static_cast<std::uint8_t>(head.cause));
  w.zigzag(head.at.ms);
  if (!is_about_entity(head.cause)) return;
  w.u8(static_cast<std::uint8_t>(head.kind));
  w.sized(head.key);
  w.u8(static_cast<std::uint8_t>(head.message));
  switch (head.cause) {
    case entry_cause::command:
      w.sized(head.command_id);
      if (head.command_id.empty()) break;
      w.u64_be(head.fingerprint);
      w.varint(head.version);
      w.sized(head.reply);
      break;
    case entry_cause::delivery:
      w.varint(head.source);
      w.varint(head.sent.index);
      w.varint(head.sent.position);
      break;
    case entry_cause::timer:
      write_timer_id(w, head.fired);
      break;
    case entry_cause::housekeeping:
    case entry_cause::barrier:
      break;
  }
}

void read_head(byte_reader& in, entry_head& head) {
  if (in.u8() != entry_format) return in.fail();
  const auto cause = in.u8();
  if (cause < 1 || cause > 5) return in.fail();
  head.cause = static_cast<entry_cause>(cause);
  head.at.ms = in.zigzag();
  if (!is_about_entity(head.cause)) return;
  head.kind = static_cast<kind_id>(in.u8());
  head.key = in.sized();
  head.message = static_cast<message_no>(in.u8());
  switch (head.cause) {
    case entry_cause::command:
      head.command_id = in.sized();
      if (head.command_id.empty()) break;
      head.fingerprint = in.u64_be();
      head.version = in.varint();
      head.reply = in.sized();
      break;
    case entry_cause::delivery:
      head.source = static_cast<shard_id>(in.varint());
      head.sent.index = in.varint();
      head.sent.position = static_cast<std::uint16_t>(in.varint());
      break;
    case entry_cause::timer:
      head.fired = read_timer_id(in);
      break;
    case entry_cause::housekeeping:
    case entry_cause::barrier:
      break;
  }
}

void write_peer_sends(byte_writer& w, const peer_sends& sends) {
  w.varint(sends.size());
  for (const auto& [shard, id] : sends) {
    w.varint(shard);
    w.varint(id.index);
    w.varint(id.position);
  }
}

peer_sends read_peer_sends(byte_reader& in) {
  peer_sends sends;
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    const auto shard = static_cast<shard_id>(in.varint());
    send_id id;
    id.index = in.varint();
    id.position = static_cast<std::uint16_t>(in.varint());
    sends.emplace_back(shard, id);
  }
  return sends;
}

void read_effects(byte_reader& in, entry_view& entry) {
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    auto& row = entry.rows.emplace_back();
    row.table = static_cast<table_no>(in.u8());
    row.key = in.sized();
    row.erased = in.u8() == 0;
    if (!row.erased) row.value = in.sized();
  }
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    auto& send = entry.sends.emplace_back();
    send.target.kind = static_cast<kind_id>(in.u8());
    send.target.key = std::string{in.sized()};
    send.message = static_cast<message_no>(in.u8());
    send.body = in.sized();
  }
  for (auto left = in.varint(); left > 0 && in.ok(); --left) {
    auto& timer = entry.timers_set.emplace_back();
    timer.id = read_timer_id(in);
    timer.message = static_cast<message_no>(in.u8());
    timer.body = in.sized();
  }
  for (auto left = in.varint(); left > 0 && in.ok(); --left)
    entry.timers_cancelled.push_back(read_timer_id(in));
}

}  // namespace

void encode_entry(std::string& out, const entry_head& head, const effects& changes) {
  constexpr std::size_t head_bytes = 128;  // ids and numbers
  out.reserve(out.size() + head_bytes + head.key.size() + head.reply.size() + changes.bytes_at_most());
  byte_writer w{out};
  write_head(w, head);
  w.varint(changes.rows.size());
  for (const auto& row : changes.rows) {
    w.u8(static_cast<std::uint8_t>(row.table));
    w.sized(row.key);
    w.u8(row.value ? 1 : 0);
    if (row.value) w.sized(*row.value);
  }
  w.varint(changes.sends.size());
  for (const auto& send : changes.sends) {
    w.u8(static_cast<std::uint8_t>(send.target.kind));
    w.sized(send.target.key);
    w.u8(static_cast<std::uint8_t>(send.message));
    w.sized(send.body);
  }
  w.varint(changes.timers_set.size());
  for (const auto& timer : changes.timers_set) {
    write_timer_id(w, timer.id);
    w.u8(static_cast<std::uint8_t>(timer.message));
    w.sized(timer.body);
  }
  w.varint(changes.timers_cancelled.size());
  for (const auto& id : changes.timers_cancelled) write_timer_id(w, id);
}

void encode_housekeeping(std::string& out, timestamp at, const peer_sends& arrived,
                         const peer_sends& forgotten) {
  byte_writer w{out};
  entry_head head;
  head.cause = entry_cause::housekeeping;
  head.at = at;
  write_head(w, head);
  write_peer_sends(w, arrived);
  write_peer_sends(w, forgotten);
}

void encode_barrier(std::string& out) {
  byte_writer w{out};
  entry_head head;
  head.cause = entry_cause::barrier;
  write_head(w, head);
}

bool decode_entry(std::string_view bytes, entry_view& entry) {
  byte_reader in{bytes};
  read_head(in, entry.head);
  if (!in.ok()) return false;
  if (entry.head.cause == entry_cause::housekeeping) {
    entry.arrived = read_peer_sends(in);
    entry.forgotten = read_peer_sends(in);
  } else if (entry.head.cause != entry_cause::barrier) {
    read_effects(in, entry);
  }
  return in.ok() && in.at_end();
}

void chunk_writer::begin(std::uint64_t first_index, std::uint64_t epoch, std::uint64_t previous_epoch) {
  first_index_ = first_index;
  epoch_ = epoch;
  previous_epoch_ = previous_epoch;
  count_ = 0;
  entries_.clear();
}

void chunk_writer::add(std::string_view entry) {
  byte_writer w{entries_};
  w.u32_be(place_checksum(shard_, first_index_ + count_, epoch_, entry));
  w.sized(entry);
  ++count_;
}

std::string chunk_writer::take() {
  std::string out;
  out.reserve(entries_.size() + 16);
  byte_writer w{out};
  w.u8(chunk_format);
  w.varint(epoch_);
  w.varint(previous_epoch_);
  w.varint(count_);
  w.raw(entries_);
  return out;
}

bool decode_chunk(shard_id shard, std::uint64_t first_index, std::string_view bytes, chunk_view& chunk) {
  byte_reader in{bytes};
  if (in.u8() != chunk_format) return false;
  chunk.first_index = first_index;
  chunk.epoch = in.varint();
  chunk.previous_epoch = in.varint();
  const auto count = in.varint();
  chunk.entries.clear();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const auto sum = in.u32_be();
    const auto entry = in.sized();
    if (!in.ok() || sum != place_checksum(shard, first_index + i, chunk.epoch, entry)) return false;
    chunk.entries.push_back(entry);
  }
  return in.ok() && in.at_end() && !chunk.entries.empty();
}

std::vector<chunk_part> split_chunk(std::string_view chunk, std::size_t bytes_max) {
  byte_reader in{chunk};
  in.u8();
  const auto epoch = in.varint();
  auto previous_epoch = in.varint();
  in.varint();
  std::vector<chunk_part> parts;
  std::string_view entries = in.rest().substr(0, 0);  // of the part at hand
  std::uint64_t count = 0;
  const auto end_part = [&] {
    std::string out;
    byte_writer w{out};
    w.u8(chunk_format);
    w.varint(epoch);
    w.varint(std::exchange(previous_epoch, epoch));
    w.varint(std::exchange(count, 0));
    w.raw(entries);
    return out;
  };
  constexpr std::size_t head_max = 31;  // format and three numbers
  while (in.ok() && !in.at_end()) {
    const auto before = in.rest();
    in.u32_be();
    in.sized();
    const auto size = before.size() - in.rest().size();
    if (count > 0 && head_max + entries.size() + size > bytes_max) {
      const auto entries_in_it = count;
      parts.push_back({end_part(), entries_in_it});
      entries = before.substr(0, 0);
    }
    entries = {entries.data(), entries.size() + size};
    ++count;
  }
  TROUPE_ASSERT(in.ok(), "a chunk changed in memory");
  const auto entries_in_it = count;
  if (count > 0) parts.push_back({end_part(), entries_in_it});
  return parts;
}

std::string chunk_range(std::string_view chunk, std::uint64_t skipped, std::uint64_t entries) {
  byte_reader in{chunk};
  in.u8();
  const auto epoch = in.varint();
  const auto previous_epoch = in.varint();
  TROUPE_ASSERT(entries > 0 && skipped + entries <= in.varint(), "a chunk is not that long");
  const auto skip = [&in](std::uint64_t count) {
    for (; count > 0; --count) {
      in.u32_be();
      in.sized();
    }
  };
  skip(skipped);
  const auto all = in.rest();
  skip(entries);
  TROUPE_ASSERT(in.ok(), "a chunk changed in memory");
  std::string out;
  byte_writer w{out};
  w.u8(chunk_format);
  w.varint(epoch);
  w.varint(skipped > 0 ? epoch : previous_epoch);
  w.varint(entries);
  w.raw(all.substr(0, all.size() - in.rest().size()));
  return out;
}

std::string chunk_prefix(std::string_view chunk, std::uint64_t entries) {
  return chunk_range(chunk, 0, entries);
}

}  // namespace troupe
