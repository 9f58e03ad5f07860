#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/authority/authority.hpp"
#include "runtime/base/uuid.hpp"
#include "runtime/entity/describe.hpp"

/// What the authority keeps, as JSON text: one object a key in etcd, one file in a data directory. A field
/// that is not known or not there makes the record unreadable, so another shape means another
/// authority_format.
namespace troupe {

/// The cluster itself: created once, checked at every start of every node.
struct meta_record {
  uuid cluster{};
  std::uint32_t shard_count = 0;
  std::uint32_t format = 0;
};
TROUPE_DESCRIBE(meta_record, cluster, shard_count, format)

/// A node's latest start. The revision that wrote it is the incarnation.
struct run_record {
  std::uint32_t number = 0;
  uuid disk{};
  uuid started_by{};  // a nonce of the process: tells whose registration won when the answer got lost
};
TROUPE_DESCRIBE(run_record, number, disk, started_by)

/// The latest of a node's starts whose disk knows that it is registered: before that it has not spoken.
struct confirmed_record {
  uuid start{};
  uuid process{};  // that said so
};
TROUPE_DESCRIBE(confirmed_record, start, process)

/// Where a node can be reached, as long as its lease lives. A hint.
struct address_record {
  std::uint32_t number = 0;
  std::string address{};
  std::string zone{};
  std::string ops{};
  std::uint32_t protocol = 0;  // 0: an older troupe does not say
};
TROUPE_DESCRIBE(address_record, number, address, zone, ops, protocol)

struct stored_shard_record {
  std::uint32_t shard = 0;
  std::uint64_t revision = 0;
  std::string config{};  // as to_json writes it
};
TROUPE_DESCRIBE(stored_shard_record, shard, revision, config)

inline constexpr std::uint32_t standalone_format = 2;  // 1 had no hash
/// What the file of the standalone authority holds.
struct standalone_record {
  std::uint32_t format = 0;
  uuid cluster{};
  uuid disk{};
  std::string node{};
  std::uint64_t revision = 0;  // of the last change
  std::uint64_t run = 0;       // the revision of the last start
  std::vector<stored_shard_record> shards{};
};
TROUPE_DESCRIBE(standalone_record, format, cluster, disk, node, revision, run, shards)

std::string to_json(const shard_config& config);
std::string to_json(const meta_record& record);
std::string to_json(const run_record& record);
std::string to_json(const confirmed_record& record);
std::string to_json(const address_record& record);
/// The file: the record as JSON, and on a line of its own the hash of that.
std::string to_file(const standalone_record& record);

/// Also refuses a config that breaks its own rules: no primary, a primary that is not in sync, an
/// in-sync set that is empty, unsorted, smaller than its floor, or has one node twice.
std::optional<shard_config> shard_config_from_json(std::string_view text);
std::optional<meta_record> meta_from_json(std::string_view text);
std::optional<run_record> run_from_json(std::string_view text);
std::optional<confirmed_record> confirmed_from_json(std::string_view text);
std::optional<address_record> address_from_json(std::string_view text);
/// None: damaged, or no such file.
std::optional<standalone_record> standalone_from_file(std::string_view text);

}  // namespace troupe
