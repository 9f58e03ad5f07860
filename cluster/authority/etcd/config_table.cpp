#include "cluster/authority/etcd/config_table.hpp"

#include <algorithm>

namespace troupe::etcd {

config_table::revisions config_table::seen() const {
  const std::lock_guard lock{mutex_};
  revisions out;
  for (const auto& [shard, config] : configs_) out.emplace(shard, config.revision);
  return out;
}

void config_table::learn(const stored_config& config) {
  if (config.revision == 0) return;
  const std::lock_guard lock{mutex_};
  auto& known = configs_[config.shard];
  if (config.revision > known.revision) known = config;
}

std::vector<member> config_table::added_by(shard_id shard, std::uint64_t expected_revision,
                                           const shard_config& proposed) const {
  const std::lock_guard lock{mutex_};
  const auto known = configs_.find(shard);
  if (known == configs_.end() || known->second.revision != expected_revision) return proposed.in_sync;
  const auto& before = known->second.config.in_sync;
  std::vector<member> added;
  std::set_difference(proposed.in_sync.begin(), proposed.in_sync.end(), before.begin(), before.end(),
                      std::back_inserter(added));
  return added;
}

void config_table::learn_name(node_id number, const std::string& name) {
  const std::lock_guard lock{mutex_};
  names_[number] = name;
}

std::optional<std::string> config_table::name_of(node_id number) const {
  const std::lock_guard lock{mutex_};
  const auto found = names_.find(number);
  if (found == names_.end()) return std::nullopt;
  return found->second;
}

bool has_forgotten(const std::vector<stored_config>& now, const config_table::revisions& seen) {
  return std::any_of(seen.begin(), seen.end(), [&](const auto& s) {
    const auto found =
        std::find_if(now.begin(), now.end(), [&](const stored_config& c) { return c.shard == s.first; });
    return found == now.end() || found->revision < s.second;
  });
}

}  // namespace troupe::etcd
