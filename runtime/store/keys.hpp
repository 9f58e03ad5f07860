#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "runtime/base/bytes.hpp"
#include "runtime/base/hash.hpp"
#include "runtime/base/shard_id.hpp"
#include "runtime/entity/effects.hpp"
#include "runtime/entity/names.hpp"

/// How the rows of a shard lie in the store: [shard u16][section u8] and then what the section says. All of a
/// shard's rows share a prefix, so that a snapshot of a shard is one range.
namespace troupe {

enum class row_section : std::uint8_t {
  entities = 0,  // [kind u8][key length u8][key][table u8][row key]
  timers = 1,    // [due u64][kind u8][key length u8][key][number u64]
  outbox = 2,    // [destination shard u16][index u64][position u16]
  received = 3,  // [source shard u16][index u64][position u16]
  settled = 4,   // [source shard u16]: [index u64][position u16], below which receipts have gone
};

/// Names one outbox message for ever: the entry that sent it, and its place among that entry's messages.
/// Unique per source shard, whatever the epoch.
struct send_id {
  std::uint64_t index = 0;
  std::uint16_t position = 0;
  friend auto operator<=>(const send_id&, const send_id&) = default;
};

/// The next one in order; nothing is between them.
inline send_id behind(send_id id) {
  return id.position == std::numeric_limits<std::uint16_t>::max()
             ? send_id{id.index + 1, 0}
             : send_id{id.index, static_cast<std::uint16_t>(id.position + 1)};
}

/// Which slice of all entities this one belongs to. Stable for ever. The key alone decides, so that what
/// belongs together under one name, such as a user's inbox and agenda, shares a shard and its messages share
/// batches (docs/decisions/003-shards-by-key.md).
inline shard_id shard_of(const entity_ref& entity, std::uint16_t shard_count) {
  return static_cast<shard_id>(stable_hash(entity.key) % shard_count);
}

namespace keys {

inline std::string section(shard_id shard, row_section which) {
  std::string out;
  byte_writer w{out};
  w.u16_be(shard);
  w.u8(static_cast<std::uint8_t>(which));
  return out;
}

inline void append_entity(byte_writer& w, kind_id kind, std::string_view key) {
  w.u8(static_cast<std::uint8_t>(kind));
  w.u8(static_cast<std::uint8_t>(key.size()));
  w.raw(key);
}

inline std::string table_prefix(shard_id shard, const entity_ref& entity, table_no table) {
  std::string out;
  out.reserve(6 + entity.key.size() + 40);
  byte_writer w{out};
  w.u16_be(shard);
  w.u8(static_cast<std::uint8_t>(row_section::entities));
  append_entity(w, entity.kind, entity.key);
  w.u8(static_cast<std::uint8_t>(table));
  return out;
}

inline std::string timer(shard_id shard, const entity_ref& entity, const timer_id& id) {
  std::string out = section(shard, row_section::timers);
  byte_writer w{out};
  w.u64_be(static_cast<std::uint64_t>(id.due.ms));
  append_entity(w, entity.kind, entity.key);
  w.u64_be(id.number);
  return out;
}

inline std::string channel(shard_id shard, row_section which, shard_id peer) {
  std::string out = section(shard, which);
  byte_writer{out}.u16_be(peer);
  return out;
}

inline std::string message(shard_id shard, row_section which, shard_id peer, send_id id) {
  std::string out = channel(shard, which, peer);
  byte_writer w{out};
  w.u64_be(id.index);
  w.u16_be(id.position);
  return out;
}

}  // namespace keys
}  // namespace troupe
