#include "cluster/transport/hello.hpp"

#include <fmt/format.h>

#include "runtime/base/bytes.hpp"
#include "runtime/base/hash.hpp"

namespace troupe {

namespace {
constexpr std::string_view magic = "troupe";
constexpr std::size_t name_bytes_max = 64;
}  // namespace

void encode(std::string& out, const hello& what) {
  const auto start = out.size();
  byte_writer w{out};
  w.raw(magic);
  w.varint(what.protocol);
  w.u8(static_cast<std::uint8_t>(what.role));
  w.raw(what.cluster.view());
  w.varint(what.shard_count);
  w.varint(static_cast<std::uint32_t>(what.who.node));
  w.varint(what.who.run);
  w.sized(what.name);
  w.u64_be(stable_hash(std::string_view{out}.substr(start)));
}

std::optional<hello> decode_hello(std::string_view bytes) {
  byte_reader in{bytes};
  hello out;
  if (in.raw(magic.size()) != magic) return std::nullopt;
  const auto protocol = in.varint();
  if (!in.ok() || protocol == 0 || protocol > UINT32_MAX) return std::nullopt;
  out.protocol = static_cast<std::uint32_t>(protocol);
  if (out.protocol > transport_protocol) return out;
  const auto role = in.u8();
  if (role != 1 && role != 2) return std::nullopt;
  out.role = static_cast<process_role>(role);
  const auto cluster = uuid_from_bytes(in.raw(16));
  const auto shards = in.varint();
  const auto node = in.varint();
  out.who.run = in.varint();
  const auto name = in.sized();
  const auto content = bytes.substr(0, bytes.size() - in.rest().size());
  if (in.u64_be() != stable_hash(content)) return std::nullopt;
  if (!in.ok() || !in.at_end() || !cluster || shards > UINT16_MAX || node > UINT32_MAX ||
      name.size() > name_bytes_max)
    return std::nullopt;
  out.cluster = *cluster;
  out.shard_count = static_cast<std::uint32_t>(shards);
  out.who.node = static_cast<node_id>(node);
  out.name = name;
  return out;
}

std::string objection(const hello& ours, const hello& theirs) {
  if (theirs.protocol != ours.protocol)
    return fmt::format("it speaks protocol {}, this process {}: run the same version everywhere",
                       theirs.protocol, ours.protocol);
  if (theirs.cluster != ours.cluster) return "it belongs to another cluster";
  if (theirs.shard_count != ours.shard_count)
    return fmt::format("it has {} shards, this cluster {}", theirs.shard_count, ours.shard_count);
  return {};
}

}  // namespace troupe
