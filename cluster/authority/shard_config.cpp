#include "cluster/authority/shard_config.hpp"

#include <algorithm>
#include <functional>

namespace troupe {

std::string fault_in(const shard_config& config) {
  const auto not_after = [](const member& a, const member& b) { return a.node >= b.node; };
  const auto is_nobody = [](const member& m) { return m.node == node_id::none || m.run == 0; };
  if (config.epoch == 0) return "its epoch is 0";
  if (config.primary.node == node_id::none) return "it has no primary";
  if (std::find(config.in_sync.begin(), config.in_sync.end(), config.primary) == config.in_sync.end())
    return "its primary is not in sync";
  if (config.min_in_sync == 0) return "its in-sync set may be empty";
  if (config.in_sync.size() < config.min_in_sync) return "its in-sync set is below its floor";
  if (std::adjacent_find(config.in_sync.begin(), config.in_sync.end(), not_after) != config.in_sync.end())
    return "its in-sync set is not sorted, or has a node twice";
  if (std::adjacent_find(config.replicas.begin(), config.replicas.end(), std::greater_equal<>{}) !=
      config.replicas.end())
    return "its replicas are not sorted, or one is there twice";
  // Who is named would never stand, and who is there would give way to it.
  if (std::any_of(config.in_sync.begin(), config.in_sync.end(), is_nobody))
    return "its in-sync set names nobody";
  if (!config.replicas.empty() && config.replicas.front() == node_id::none) return "its replicas name nobody";
  return {};
}

}  // namespace troupe
