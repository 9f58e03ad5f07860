#include "cluster/authority/shard_config.hpp"

#include <algorithm>
#include <functional>

namespace troupe {

std::string fault_in(const shard_config& config) {
  const auto not_after = [](const member& a, const member& b) { return a.node >= b.node; };
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
  return {};
}

}  // namespace troupe
