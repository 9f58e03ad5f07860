#include "cluster/replica_host/replica_record.hpp"

#include <limits>

#include "runtime/base/bytes.hpp"

namespace troupe {

namespace {
constexpr std::uint8_t record_format = 3;  // 1 had no disk_since, 2 no primary
}

std::string encode_replica_record(const replication::replica_meta& meta) {
  std::string out;
  byte_writer w{out};
  w.u8(record_format);
  w.varint(meta.generation);
  w.varint(meta.epoch);
  w.varint(meta.revision);
  w.varint(meta.fence_revision);
  w.u8(static_cast<std::uint8_t>(meta.disk));
  w.varint(meta.disk_since);
  w.varint(static_cast<std::uint64_t>(meta.primary.node));
  w.varint(meta.primary.run);
  return out;
}

std::optional<replication::replica_meta> decode_replica_record(std::string_view bytes) {
  byte_reader in{bytes};
  const auto format = in.u8();
  if (format < 1 || format > record_format) return std::nullopt;
  replication::replica_meta meta;
  meta.generation = in.varint();
  meta.epoch = in.varint();
  meta.revision = in.varint();
  meta.fence_revision = in.varint();
  const auto disk = in.u8();
  if (format >= 2) meta.disk_since = in.varint();
  const auto node = format >= 3 ? in.varint() : 0;
  if (format >= 3) meta.primary = {static_cast<node_id>(node), in.varint()};
  if (!in.ok() || !in.at_end() || disk < 1 || disk == 2 || disk > 4) return std::nullopt;
  if (node > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  meta.disk = static_cast<replication::disk_state>(disk);
  return meta;
}

}  // namespace troupe
