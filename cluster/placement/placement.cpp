#include "cluster/placement/placement.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace troupe::placement {
namespace {

using loads = std::map<node_id, std::size_t>;  // copies, of usable nodes

bool holds(const std::vector<node_id>& nodes, node_id one) {
  return std::find(nodes.begin(), nodes.end(), one) != nodes.end();
}

bool is_in_sync(const stored_config& s, node_id node) {
  return std::any_of(s.config.in_sync.begin(), s.config.in_sync.end(),
                     [node](const member& m) { return m.node == node; });
}

loads loads_of(const std::vector<stored_config>& shards, const std::vector<node_id>& usable) {
  loads out;
  for (const auto node : usable) out[node] = 0;
  for (const auto& s : shards)
    for (const auto node : s.config.replicas)
      if (const auto at = out.find(node); at != out.end()) ++at->second;
  return out;
}

move with(const stored_config& s, node_id node) {
  auto replicas = s.config.replicas;
  replicas.insert(std::upper_bound(replicas.begin(), replicas.end(), node), node);
  return {s.shard, s.revision, std::move(replicas)};
}

move without(const stored_config& s, node_id node) {
  auto replicas = s.config.replicas;
  std::erase(replicas, node);
  return {s.shard, s.revision, std::move(replicas)};
}

/// Who has the fewest copies and none of that shard.
std::optional<node_id> best_target(const stored_config& s, const loads& load) {
  std::optional<node_id> best;
  for (const auto& [node, count] : load)
    if (!holds(s.config.replicas, node) && (!best || count < load.at(*best))) best = node;
  return best;
}

/// Whose copy goes: one that is not usable, else of the node with the most copies; the primary's only if
/// there is no other like it, since it has to hand over first.
node_id best_victim(const stored_config& s, const loads& load) {
  const auto rank = [&](node_id node) {
    const auto at = load.find(node);
    const bool is_usable = at != load.end();
    return std::tuple{!is_usable, is_usable ? at->second : 0, node != s.config.primary.node};
  };
  const auto& all = s.config.replicas;
  return *std::max_element(all.begin(), all.end(), [&](node_id a, node_id b) { return rank(a) < rank(b); });
}

/// From the fullest node to the emptiest, when that is worth it; a shard whose primary need not move if any.
std::optional<move> balancing(const std::vector<stored_config>& shards, const loads& load) {
  const auto fewer = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto [least, most] = std::minmax_element(load.begin(), load.end(), fewer);
  if (least == load.end() || most->second < least->second + 2) return std::nullopt;
  const stored_config* best = nullptr;
  for (const auto& s : shards) {
    if (!holds(s.config.replicas, most->first) || holds(s.config.replicas, least->first)) continue;
    if (best == nullptr || best->config.primary.node == most->first) best = &s;
  }
  return best != nullptr ? std::optional{with(*best, least->first)} : std::nullopt;
}

}  // namespace

shard_config first_config(shard_id shard, const std::vector<member>& nodes, std::uint32_t replicas) {
  shard_config out;
  out.epoch = 1;
  out.min_in_sync = replicas >= 3 ? 2 : 1;
  for (std::uint32_t k = 0; k < replicas; ++k) out.in_sync.push_back(nodes[(shard + k) % nodes.size()]);
  out.primary = out.in_sync.front();
  for (const auto& one : out.in_sync) out.replicas.push_back(one.node);
  std::sort(out.in_sync.begin(), out.in_sync.end());
  std::sort(out.replicas.begin(), out.replicas.end());
  return out;
}

node_id preferred_primary(const stored_config& shard) {
  const auto& replicas = shard.config.replicas;
  return replicas.empty() ? node_id::none : replicas[shard.shard % replicas.size()];
}

bool is_whole(const std::vector<stored_config>& shards, const std::vector<node_id>& usable) {
  return std::all_of(shards.begin(), shards.end(), [&](const stored_config& s) {
    return s.config.epoch != 0 &&
           std::all_of(s.config.replicas.begin(), s.config.replicas.end(),
                       [&](node_id node) { return !holds(usable, node) || is_in_sync(s, node); });
  });
}

std::optional<move> next_move(const std::vector<stored_config>& shards, const std::vector<node_id>& usable) {
  if (shards.empty() || usable.empty() || !is_whole(shards, usable)) return std::nullopt;
  const auto load = loads_of(shards, usable);
  std::size_t wanted = shards.front().config.replicas.size();
  for (const auto& s : shards) wanted = std::min(wanted, s.config.replicas.size());
  for (const auto& s : shards)
    if (s.config.replicas.size() > wanted) return without(s, best_victim(s, load));
  for (const auto& s : shards) {
    const auto& replicas = s.config.replicas;
    const bool is_short =
        !std::all_of(replicas.begin(), replicas.end(), [&](node_id n) { return load.contains(n); });
    if (!is_short) continue;
    if (const auto target = best_target(s, load)) return with(s, *target);
  }
  return balancing(shards, load);
}

}  // namespace troupe::placement
