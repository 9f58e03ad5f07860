#include "cluster/authority/records.hpp"

#include <fmt/format.h>
#include <algorithm>

#include <boost/json.hpp>
#include <functional>
#include <limits>

#include "runtime/base/hash.hpp"
#include "runtime/base/shard_id.hpp"
#include "runtime/entity/json_read.hpp"
#include "runtime/entity/json_write.hpp"

namespace troupe {
namespace {

struct member_record {
  std::uint32_t node = 0;
  std::uint64_t run = 0;
};
TROUPE_DESCRIBE(member_record, node, run)

/// shard_config with plain numbers, as JSON has it.
struct config_record {
  std::uint64_t generation = 0;
  std::uint64_t epoch = 0;
  member_record primary{};
  std::vector<member_record> in_sync{};
  std::vector<std::uint32_t> replicas{};
  std::uint32_t min_in_sync = 1;
  uuid written_by{};
};
TROUPE_DESCRIBE(config_record, generation, epoch, primary, in_sync, replicas, min_in_sync, written_by)

member_record to_record(const member& m) { return {static_cast<std::uint32_t>(m.node), m.run}; }
member from_record(const member_record& m) { return {node_id{m.node}, m.run}; }

template <class T>
std::string write(const T& record) {
  std::string out;
  write_json(out, record);
  return out;
}

template <class T>
std::optional<T> read(std::string_view text) {
  boost::system::error_code fault;
  const auto json = boost::json::parse(boost::json::string_view{text.data(), text.size()}, fault);
  if (fault) return std::nullopt;
  T record;
  std::vector<field_error> errors;
  read_json(json, record, "", errors);
  if (!errors.empty()) return std::nullopt;
  return record;
}

}  // namespace

std::string to_json(const shard_config& config) {
  config_record r{.generation = config.generation,
                  .epoch = config.epoch,
                  .primary = to_record(config.primary),
                  .in_sync = {},
                  .replicas = {},
                  .min_in_sync = config.min_in_sync,
                  .written_by = config.written_by};
  for (const auto& m : config.in_sync) r.in_sync.push_back(to_record(m));
  for (const auto n : config.replicas) r.replicas.push_back(static_cast<std::uint32_t>(n));
  return write(r);
}

std::string to_json(const meta_record& record) { return write(record); }
std::string to_json(const run_record& record) { return write(record); }
std::string to_json(const confirmed_record& record) { return write(record); }
std::string to_json(const address_record& record) { return write(record); }
std::string to_file(const standalone_record& record) {
  auto out = write(record);
  return out + fmt::format("\n{:016x}\n", stable_hash(out));
}

std::optional<shard_config> shard_config_from_json(std::string_view text) {
  const auto r = read<config_record>(text);
  if (!r) return std::nullopt;
  shard_config config{.generation = r->generation,
                      .epoch = r->epoch,
                      .primary = from_record(r->primary),
                      .in_sync = {},
                      .replicas = {},
                      .min_in_sync = r->min_in_sync,
                      .written_by = r->written_by};
  for (const auto& m : r->in_sync) config.in_sync.push_back(from_record(m));
  for (const auto n : r->replicas) config.replicas.push_back(node_id{n});
  if (!fault_in(config).empty()) return std::nullopt;
  return config;
}

std::optional<meta_record> meta_from_json(std::string_view text) {
  auto record = read<meta_record>(text);
  const bool is_sound = record && !record->cluster.is_nil() && record->shard_count > 0 &&
                        record->shard_count <= std::numeric_limits<shard_id>::max();
  return is_sound ? record : std::nullopt;
}

std::optional<run_record> run_from_json(std::string_view text) {
  auto record = read<run_record>(text);
  if (record && record->number == 0) return std::nullopt;
  return record;
}

std::optional<confirmed_record> confirmed_from_json(std::string_view text) {
  return read<confirmed_record>(text);
}
std::optional<address_record> address_from_json(std::string_view text) { return read<address_record>(text); }

std::optional<standalone_record> standalone_from_file(std::string_view text) {
  const auto json = text.substr(0, text.find('\n'));
  auto record = read<standalone_record>(json);
  const bool has_hash = json.size() < text.size();
  if (has_hash && text.substr(json.size()) != fmt::format("\n{:016x}\n", stable_hash(json)))
    return std::nullopt;
  if (record && !has_hash && record->format > 1) return std::nullopt;
  return record;
}

}  // namespace troupe
