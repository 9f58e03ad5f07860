#include "cluster/replica/codec.hpp"

#include <type_traits>
#include <utility>

#include "runtime/base/bytes.hpp"
#include "runtime/base/hash.hpp"

namespace troupe::replication {
namespace {

constexpr std::uint8_t format = 1;

void put(byte_writer& out, member who) {
  out.varint(static_cast<std::uint32_t>(who.node));
  out.varint(who.run);
}

void put(byte_writer& out, const epoch_history& history) {
  out.varint(history.size());
  for (const auto& start : history) {
    out.varint(start.epoch);
    out.varint(start.first_index);
  }
}

void put(byte_writer& out, const shared_bytes& bytes) {
  out.u8(bytes ? 1 : 0);
  if (bytes) out.sized(*bytes);
}

void put(byte_writer& out, const activate& b) {
  put(out, b.history);
  out.varint(b.barrier);
  out.varint(b.round);
}
void put(byte_writer& out, const append& b) {
  out.varint(b.commit);
  out.varint(b.round);
  out.varint(b.chunks.size());
  for (const auto& c : b.chunks) {
    out.varint(c.first);
    out.varint(c.last);
    out.varint(c.epoch);
    out.varint(c.previous_epoch);
    put(out, c.bytes);
  }
}
void put(byte_writer& out, const append_ack& b) {
  out.varint(b.match);
  out.varint(b.round);
  out.u8(static_cast<std::uint8_t>((b.is_full ? 1U : 0U) | (b.is_leaving ? 2U : 0U)));
}
void put(byte_writer& out, const nack& b) {
  out.u8(static_cast<std::uint8_t>(b.why));
  out.varint(b.number);
}
void put(byte_writer&, const release&) {}
void put(byte_writer& out, const poll& b) {
  out.varint(b.revision);
  out.varint(b.nonce);
}
void put(byte_writer& out, const poll_answer& b) {
  out.varint(b.nonce);
  out.varint(b.end.epoch);
  out.varint(b.end.index);
  out.u8(static_cast<std::uint8_t>(b.disk));
  out.varint(b.disk_since);
}
void put(byte_writer&, const suspicion&) {}
void put(byte_writer&, const heard_lately&) {}
void put(byte_writer& out, const snapshot_part& b) {
  out.varint(b.index);
  put(out, b.history);
  out.varint(b.offset);
  out.varint(b.total);
  out.varint(b.hash);
  put(out, b.bytes);
}
void put(byte_writer& out, const snapshot_ack& b) {
  out.varint(b.index);
  out.varint(b.offset);
}

member take_member(byte_reader& in) {
  const auto node = in.varint();
  if (node > UINT32_MAX) in.fail();
  return {static_cast<node_id>(node), in.varint()};
}

bool take_flag(byte_reader& in) {
  const auto flag = in.u8();
  if (flag > 1) in.fail();
  return flag == 1;
}

void take(byte_reader& in, epoch_history& history) {
  const auto count = in.varint();
  if (count > in.rest().size() / 2) return in.fail();  // each takes at least two bytes
  history.reserve(static_cast<std::size_t>(count));
  epoch_start before;
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const auto epoch = in.varint();
    const epoch_start start{epoch, in.varint()};
    if (start.epoch <= before.epoch || start.first_index <= before.first_index) return in.fail();
    history.push_back(before = start);
  }
}

void take(byte_reader& in, shared_bytes& bytes) {
  if (!take_flag(in)) return;
  const auto view = in.sized();
  if (in.ok()) bytes = std::make_shared<const std::string>(view);
}

void take(byte_reader& in, activate& b) {
  take(in, b.history);
  b.barrier = in.varint();
  b.round = in.varint();
  if (b.barrier == 0 || (!b.history.empty() && b.history.back().first_index >= b.barrier)) in.fail();
}
void take(byte_reader& in, append& b) {
  b.commit = in.varint();
  b.round = in.varint();
  const auto count = in.varint();
  if (count > in.rest().size() / 5) return in.fail();
  b.chunks.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    chunk c;
    c.first = in.varint();
    c.last = in.varint();
    c.epoch = in.varint();
    c.previous_epoch = in.varint();
    take(in, c.bytes);
    if (c.first == 0 || c.last < c.first || c.epoch == 0 || c.previous_epoch > c.epoch) return in.fail();
    // Without bytes it is a barrier, the first entry of its epoch.
    if (!c.bytes && (c.first != c.last || c.previous_epoch == c.epoch)) return in.fail();
    b.chunks.push_back(std::move(c));
  }
}
void take(byte_reader& in, append_ack& b) {
  b.match = in.varint();
  b.round = in.varint();
  const auto flags = in.u8();
  if (flags > 3) in.fail();
  b.is_full = (flags & 1U) != 0;
  b.is_leaving = (flags & 2U) != 0;
}
void take(byte_reader& in, nack& b) {
  const auto why = in.u8();
  if (why < 1 || why > static_cast<std::uint8_t>(refusal::fenced)) return in.fail();
  b.why = static_cast<refusal>(why);
  b.number = in.varint();
}
void take(byte_reader&, release&) {}
void take(byte_reader& in, poll& b) {
  b.revision = in.varint();
  b.nonce = in.varint();
}
void take(byte_reader& in, poll_answer& b) {
  b.nonce = in.varint();
  b.end.epoch = in.varint();
  b.end.index = in.varint();
  const auto disk = in.u8();
  if (disk != static_cast<std::uint8_t>(disk_state::blank) &&
      disk != static_cast<std::uint8_t>(disk_state::sound))
    return in.fail();
  b.disk = static_cast<disk_state>(disk);
  b.disk_since = in.varint();
}
void take(byte_reader&, suspicion&) {}
void take(byte_reader&, heard_lately&) {}
void take(byte_reader& in, snapshot_part& b) {
  b.index = in.varint();
  take(in, b.history);
  b.offset = in.varint();
  b.total = in.varint();
  b.hash = in.varint();
  take(in, b.bytes);
  // Compared so that nothing can wrap around.
  if (b.bytes && (b.offset > b.total || b.bytes->size() > b.total - b.offset)) in.fail();
}
void take(byte_reader& in, snapshot_ack& b) {
  b.index = in.varint();
  b.offset = in.varint();
}

/// The body with that number in the variant.
template <std::size_t Kind = 0>
bool take_body(byte_reader& in, std::size_t kind, message_body& body) {
  if constexpr (Kind == std::variant_size_v<message_body>) {
    return false;
  } else {
    if (kind != Kind) return take_body<Kind + 1>(in, kind, body);
    take(in, body.emplace<Kind>());
    return true;
  }
}

std::string_view to_bytes(const uuid& id) { return id.view(); }

}  // namespace

void encode_message(std::string& out, const uuid& cluster, const message& what) {
  const auto start = out.size();
  byte_writer writer(out);
  writer.u8(format);
  writer.raw(to_bytes(cluster));
  writer.varint(what.shard);
  put(writer, what.from);
  put(writer, what.to);
  writer.varint(what.epoch);
  writer.varint(what.revision);
  writer.u8(static_cast<std::uint8_t>(what.body.index()));
  std::visit([&](const auto& body) { put(writer, body); }, what.body);
  writer.u64_be(stable_hash(std::string_view(out).substr(start)));
}

std::optional<message> decode_message(const uuid& cluster, std::string_view frame) {
  constexpr std::size_t hash_size = 8;
  if (frame.size() < hash_size) return std::nullopt;
  const auto content = frame.substr(0, frame.size() - hash_size);
  byte_reader hash(frame.substr(content.size()));
  if (hash.u64_be() != stable_hash(content)) return std::nullopt;
  byte_reader in(content);
  if (in.u8() != format || in.raw(cluster.bytes.size()) != to_bytes(cluster)) return std::nullopt;
  message what;
  const auto shard = in.varint();
  if (shard > UINT16_MAX) return std::nullopt;
  what.shard = static_cast<shard_id>(shard);
  what.from = take_member(in);
  what.to = take_member(in);
  what.epoch = in.varint();
  what.revision = in.varint();
  if (!take_body(in, in.u8(), what.body) || !in.ok() || !in.at_end()) return std::nullopt;
  return what;
}

/// By what is sent, so that nothing that is compared can be forgotten in the codec.
bool operator==(const message& a, const message& b) {
  std::string of_a;
  std::string of_b;
  encode_message(of_a, {}, a);
  encode_message(of_b, {}, b);
  return of_a == of_b;
}

}  // namespace troupe::replication
