#include "test/chaos/copies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>

namespace troupe::chaos {
namespace {

struct copy_place {
  std::string node;
  std::uint64_t last = 0;
  std::uint64_t applied = 0;
};

using copies_by_shard = std::multimap<std::uint32_t, copy_place>;

bool read_copies(const std::string& node, const std::string& stats, copies_by_shard& out) {
  boost::json::error_code fault;
  const auto json = boost::json::parse(stats, fault);
  const auto* object = fault ? nullptr : json.if_object();
  const auto* shards = object != nullptr ? object->if_contains("shards") : nullptr;
  if (shards == nullptr || !shards->is_array()) return false;
  for (const auto& one : shards->get_array())
    out.emplace(one.at("shard").to_number<std::uint32_t>(),
                copy_place{node, one.at("last").to_number<std::uint64_t>(),
                           one.at("applied").to_number<std::uint64_t>()});
  return true;
}

}  // namespace

std::string copy_behind(const std::map<std::string, std::string>& stats) {
  copies_by_shard copies;
  for (const auto& [node, text] : stats)
    if (!read_copies(node, text, copies)) return node + " does not say where its copies are";
  std::map<std::uint32_t, std::uint64_t> end;  // of each shard's longest log
  for (const auto& [shard, copy] : copies) end[shard] = std::max(end[shard], copy.last);
  for (const auto& [shard, copy] : copies)
    if (copy.applied != end[shard])
      return fmt::format("{}'s copy of shard {} has applied entry {}, and the log ends with {}", copy.node,
                         shard, copy.applied, end[shard]);
  return copies.empty() ? "no node has a copy" : "";
}

}  // namespace troupe::chaos
