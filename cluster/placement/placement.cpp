#include "cluster/placement/placement.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace troupe::placement {
namespace {

/// Of usable nodes: how many copies each holds, and its zone.
class field {
 public:
  field(const std::vector<stored_config>& shards, const std::vector<site>& usable) {
    for (const auto& one : usable) nodes_[one.node] = {0, one.zone};
    for (const auto& s : shards)
      for (const auto node : s.config.replicas)
        if (const auto at = nodes_.find(node); at != nodes_.end()) ++at->second.copies;
  }
  bool is_usable(node_id node) const { return nodes_.contains(node); }
  std::size_t copies(node_id node) const { return nodes_.at(node).copies; }
  /// Emptiest first.
  std::vector<node_id> by_load() const {
    std::vector<node_id> out;
    for (const auto& [node, what] : nodes_) out.push_back(node);
    std::stable_sort(out.begin(), out.end(), [&](node_id a, node_id b) { return copies(a) < copies(b); });
    return out;
  }
  /// Whether another one of them, usable too, is in the zone of `node`.
  bool shares_zone(const std::vector<node_id>& replicas, node_id node) const {
    return std::any_of(replicas.begin(), replicas.end(), [&](node_id other) {
      return other != node && is_usable(other) && nodes_.at(other).zone == nodes_.at(node).zone;
    });
  }
  std::size_t zones(const std::vector<node_id>& replicas) const {
    std::set<std::string_view> out;
    for (const auto node : replicas)
      if (is_usable(node)) out.insert(nodes_.at(node).zone);
    return out.size();
  }

 private:
  struct place {
    std::size_t copies = 0;
    std::string zone;
  };
  std::map<node_id, place> nodes_;
};

bool holds(const std::vector<node_id>& nodes, node_id one) {
  return std::find(nodes.begin(), nodes.end(), one) != nodes.end();
}

bool is_in_sync(const stored_config& s, node_id node) {
  return std::any_of(s.config.in_sync.begin(), s.config.in_sync.end(),
                     [node](const member& m) { return m.node == node; });
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

/// Who is in a zone that has none of that shard if there is one, has the fewest copies, and none of that
/// shard.
std::optional<node_id> best_target(const stored_config& s, const field& on) {
  std::optional<node_id> best;
  for (const auto node : on.by_load()) {
    if (holds(s.config.replicas, node)) continue;
    if (!on.shares_zone(s.config.replicas, node)) return node;
    if (!best) best = node;
  }
  return best;
}

/// Whose copy goes: one that is not usable, else one whose zone has another, else of the node with the most
/// copies; the primary's only if there is no other like it, since it has to hand over first.
node_id best_victim(const stored_config& s, const field& on) {
  const auto& all = s.config.replicas;
  const auto rank = [&](node_id node) {
    const bool is_usable = on.is_usable(node);
    return std::tuple{!is_usable, is_usable && on.shares_zone(all, node), is_usable ? on.copies(node) : 0,
                      node != s.config.primary.node};
  };
  return *std::max_element(all.begin(), all.end(), [&](node_id a, node_id b) { return rank(a) < rank(b); });
}

/// One copy more in a zone that has none, of a shard that has two in another.
std::optional<move> spreading(const std::vector<stored_config>& shards, const field& on) {
  for (const auto& s : shards) {
    const auto& replicas = s.config.replicas;
    if (std::none_of(replicas.begin(), replicas.end(),
                     [&](node_id n) { return on.shares_zone(replicas, n); }))
      continue;
    if (const auto target = best_target(s, on); target && !on.shares_zone(replicas, *target))
      return with(s, *target);
  }
  return std::nullopt;
}

/// Whether `to` may stand for `from`, so that the shard is in no fewer zones.
bool may_stand_for(const stored_config& s, node_id from, node_id to, const field& on) {
  const auto& replicas = s.config.replicas;
  if (!holds(replicas, from) || holds(replicas, to)) return false;
  auto after = replicas;
  std::replace(after.begin(), after.end(), from, to);
  return on.zones(after) >= on.zones(replicas);
}

/// The shard of which a copy moves: one whose primary need not, if any, and of these one whose primary's node
/// has the most such shards left, so that the last ones do not all have theirs on one node.
const stored_config* best_to_move(const std::vector<stored_config>& shards, node_id from, node_id to,
                                  const field& on) {
  std::map<node_id, std::size_t> left;
  for (const auto& s : shards)
    if (!holds(s.config.replicas, to)) ++left[s.config.primary.node];
  const auto rank = [&](const stored_config& s) {
    const auto primary = s.config.primary.node;
    return std::pair{primary != from, left[primary]};
  };
  const stored_config* best = nullptr;
  for (const auto& s : shards)
    if (may_stand_for(s, from, to, on) && (best == nullptr || rank(s) > rank(*best))) best = &s;
  return best;
}

/// From a full node to an empty one, when that is worth it.
std::optional<move> balancing(const std::vector<stored_config>& shards, const field& on) {
  const auto nodes = on.by_load();
  for (auto from = nodes.rbegin(); from != nodes.rend(); ++from)
    for (const auto to : nodes) {
      if (on.copies(*from) < on.copies(to) + 2) break;
      if (const auto* best = best_to_move(shards, *from, to, on)) return with(*best, to);
    }
  return std::nullopt;
}

/// Moves one primary along a chain of shards: from a node to a copy on a second, from which another goes to a
/// copy on a third, until one is reached that has two fewer. False when no chain leads to such a node.
bool relieve_one(const std::vector<stored_config>& shards, std::vector<node_id>& primaries,
                 std::map<node_id, std::size_t>& load) {
  std::vector<node_id> fullest;
  for (const auto& [node, count] : load) fullest.push_back(node);
  std::stable_sort(fullest.begin(), fullest.end(), [&](node_id a, node_id b) { return load[a] > load[b]; });
  for (const auto from : fullest) {
    std::map<node_id, std::size_t> by_shard;  // each node reached, and the shard that leads to it
    std::vector<node_id> reached{from};
    for (std::size_t i = 0; i < reached.size(); ++i) {
      if (load[reached[i]] + 2 <= load[from]) {
        for (auto at = reached[i]; at != from;) {
          const auto shard = by_shard[at];
          at = std::exchange(primaries[shard], at);
        }
        ++load[reached[i]];
        --load[from];
        return true;
      }
      for (std::size_t shard = 0; shard < shards.size(); ++shard) {
        if (primaries[shard] != reached[i]) continue;
        for (const auto next : shards[shard].config.replicas)
          if (next != from && by_shard.try_emplace(next, shard).second) reached.push_back(next);
      }
    }
  }
  return false;
}

}  // namespace

void alternate_zones(std::vector<site>& sites) {
  std::map<std::string_view, std::size_t> seen;
  std::vector<std::pair<std::size_t, site>> ranked;
  for (const auto& one : sites) ranked.emplace_back(seen[one.zone]++, one);
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second.zone) < std::tie(b.first, b.second.zone);
  });
  std::vector<site> out;
  for (auto& [rank, one] : ranked) out.push_back(std::move(one));
  sites = std::move(out);
}

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

std::vector<node_id> preferred_primaries(const std::vector<stored_config>& shards) {
  std::vector<node_id> out;
  std::map<node_id, std::size_t> load;
  for (const auto& s : shards)
    for (const auto node : s.config.replicas) load.try_emplace(node, 0);
  for (const auto& s : shards) {
    const auto now = s.config.primary.node;
    out.push_back(holds(s.config.replicas, now) ? now : node_id::none);
    if (out.back() != node_id::none) ++load[now];
  }
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    const auto& replicas = shards[shard].config.replicas;
    if (out[shard] != node_id::none || replicas.empty()) continue;
    out[shard] = *std::min_element(replicas.begin(), replicas.end(),
                                   [&](node_id a, node_id b) { return load[a] < load[b]; });
    ++load[out[shard]];
  }
  // Each round takes one from a node that has two more than another; the sum of squares only falls.
  while (relieve_one(shards, out, load)) {
  }
  return out;
}

bool is_whole(const std::vector<stored_config>& shards, const std::vector<site>& usable) {
  const field on{{}, usable};
  return std::all_of(shards.begin(), shards.end(), [&](const stored_config& s) {
    return s.config.epoch != 0 &&
           std::all_of(s.config.replicas.begin(), s.config.replicas.end(),
                       [&](node_id node) { return !on.is_usable(node) || is_in_sync(s, node); });
  });
}

std::optional<move> next_move(const std::vector<stored_config>& shards, const std::vector<site>& usable) {
  if (shards.empty() || usable.empty() || !is_whole(shards, usable)) return std::nullopt;
  const field on{shards, usable};
  std::size_t wanted = shards.front().config.replicas.size();
  for (const auto& s : shards) wanted = std::min(wanted, s.config.replicas.size());
  for (const auto& s : shards)
    if (s.config.replicas.size() > wanted) return without(s, best_victim(s, on));
  for (const auto& s : shards) {
    const auto& replicas = s.config.replicas;
    const bool is_short =
        !std::all_of(replicas.begin(), replicas.end(), [&](node_id n) { return on.is_usable(n); });
    if (!is_short) continue;
    if (const auto target = best_target(s, on)) return with(s, *target);
  }
  if (auto step = spreading(shards, on)) return step;
  return balancing(shards, on);
}

}  // namespace troupe::placement
