#include "cluster/transport/wire.hpp"

#include <algorithm>

#include "cluster/authority/records.hpp"

namespace troupe::wire {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t deadline_ms_max = 600'000;

void put(byte_writer& w, const entity_ref& ref) {
  w.varint(static_cast<std::uint64_t>(ref.kind));
  w.sized(ref.key);
}

void put(byte_writer& w, const send_id& id) {
  w.varint(id.index);
  w.varint(id.position);
}

/// A number that fits into T.
template <class T>
T take(byte_reader& in) {
  const auto value = in.varint();
  if (value > std::numeric_limits<T>::max()) in.fail();
  return static_cast<T>(value);
}

entity_ref take_ref(byte_reader& in) {
  entity_ref out;
  out.kind = static_cast<kind_id>(take<std::uint8_t>(in));
  out.key = in.sized();
  if (out.key.size() > entity_key_bytes_max) in.fail();
  return out;
}

send_id take_send_id(byte_reader& in) {
  const auto index = in.varint();
  return {index, take<std::uint16_t>(in)};
}

bool take_flag(byte_reader& in) {
  const auto flag = in.u8();
  if (flag > 1) in.fail();
  return flag == 1;
}

/// How many follow, of which each takes at least `bytes_min`.
std::size_t take_count(byte_reader& in, std::size_t bytes_min) {
  const auto count = in.varint();
  if (count > in.rest().size() / bytes_min) in.fail();
  return in.ok() ? static_cast<std::size_t>(count) : 0;
}

template <class T>
std::optional<T> whole(const byte_reader& in, T&& out) {
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return std::forward<T>(out);
}

}  // namespace

void encode(std::string& out, const shard_command& what, moment now) {
  byte_writer w{out};
  const auto& c = what.what;
  w.varint(what.ticket);
  w.varint(what.shard);
  put(w, c.target);
  w.varint(static_cast<std::uint64_t>(c.message));
  w.u8(c.is_query ? 1 : 0);
  w.raw(c.id.view());
  w.varint(c.fingerprint);
  w.u8(static_cast<std::uint8_t>(c.expect_version.what));
  w.varint(c.expect_version.version);
  const auto left = std::max(milliseconds{0}, duration_cast<milliseconds>(c.deadline - now));
  w.varint(std::min<std::uint64_t>(static_cast<std::uint64_t>(left.count()), deadline_ms_max));
  w.sized(c.body);
}

std::optional<shard_command> decode_command(std::string_view bytes, moment now) {
  byte_reader in{bytes};
  shard_command out;
  auto& c = out.what;
  out.ticket = in.varint();
  out.shard = take<shard_id>(in);
  c.target = take_ref(in);
  c.message = static_cast<message_no>(take<std::uint8_t>(in));
  c.is_query = take_flag(in);
  const auto id = uuid_from_bytes(in.raw(16));
  if (!id) return std::nullopt;
  c.id = *id;
  c.fingerprint = in.varint();
  const auto demand = in.u8();
  if (demand > static_cast<std::uint8_t>(version_condition::demand::different)) return std::nullopt;
  c.expect_version.what = static_cast<version_condition::demand>(demand);
  c.expect_version.version = in.varint();
  const auto left_ms = in.varint();
  if (left_ms > deadline_ms_max) return std::nullopt;
  c.deadline = now + milliseconds{left_ms};
  c.body = in.sized();
  return whole(in, std::move(out));
}

void encode(std::string& out, const shard_reply& what) {
  byte_writer w{out};
  w.varint(what.ticket);
  w.u8(static_cast<std::uint8_t>(what.what.status));
  w.varint(what.what.version);
  w.u8(what.what.replayed ? 1 : 0);
  w.sized(what.what.bytes);
}

std::optional<shard_reply> decode_reply(std::string_view bytes) {
  byte_reader in{bytes};
  shard_reply out;
  out.ticket = in.varint();
  const auto status = in.u8();
  if (status < 1 || status > static_cast<std::uint8_t>(reply_status::unknown)) return std::nullopt;
  out.what.status = static_cast<reply_status>(status);
  out.what.version = in.varint();
  out.what.replayed = take_flag(in);
  out.what.bytes = in.sized();
  return whole(in, std::move(out));
}

void encode(std::string& out, const shard_parcels& what) {
  byte_writer w{out};
  w.varint(what.to);
  w.varint(what.what.source);
  put(w, what.what.settled_below);
  w.varint(what.what.parcels.size());
  for (const auto& one : what.what.parcels) {
    put(w, one.id);
    put(w, one.message.target);
    w.varint(static_cast<std::uint64_t>(one.message.message));
    w.sized(one.message.body);
  }
}

std::optional<shard_parcels> decode_parcels(std::string_view bytes) {
  byte_reader in{bytes};
  shard_parcels out;
  out.to = take<shard_id>(in);
  out.what.source = take<shard_id>(in);
  out.what.settled_below = take_send_id(in);
  constexpr std::size_t parcel_bytes_min = 6;
  const auto count = take_count(in, parcel_bytes_min);
  out.what.parcels.reserve(count);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    auto& one = out.what.parcels.emplace_back();
    one.id = take_send_id(in);
    one.message.target = take_ref(in);
    one.message.message = static_cast<message_no>(take<std::uint8_t>(in));
    one.message.body = in.sized();
  }
  return whole(in, std::move(out));
}

void encode(std::string& out, const shard_acknowledgement& what) {
  byte_writer w{out};
  w.varint(what.to);
  w.varint(what.by);
  w.varint(what.ids.size());
  for (const auto& id : what.ids) put(w, id);
}

std::optional<shard_acknowledgement> decode_acknowledgement(std::string_view bytes) {
  byte_reader in{bytes};
  shard_acknowledgement out;
  out.to = take<shard_id>(in);
  out.by = take<shard_id>(in);
  const auto count = take_count(in, 2);
  out.ids.reserve(count);
  for (std::size_t i = 0; i < count && in.ok(); ++i) out.ids.push_back(take_send_id(in));
  return whole(in, std::move(out));
}

void encode(std::string& out, const stored_config& what) {
  byte_writer w{out};
  w.varint(what.shard);
  w.varint(what.revision);
  w.raw(to_json(what.config));
}

std::optional<stored_config> decode_config(std::string_view bytes) {
  byte_reader in{bytes};
  stored_config out;
  out.shard = take<shard_id>(in);
  out.revision = in.varint();
  const auto config = in.ok() ? shard_config_from_json(in.rest()) : std::nullopt;
  if (!config || out.revision == 0) return std::nullopt;
  out.config = *config;
  return out;
}

void append_word(std::string& out, word kind, std::string_view bytes) {
  byte_writer w{out};
  w.u8(static_cast<std::uint8_t>(kind));
  w.sized(bytes);
  w.u64_be(stable_hash(bytes, static_cast<std::uint8_t>(kind)));
}

}  // namespace troupe::wire
