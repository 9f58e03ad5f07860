#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cluster/authority/authority.hpp"

namespace troupe::etcd {

/// What was last seen in etcd: each shard's config, and the name behind each node's number. Never decides
/// anything; it tells what a proposal adds, and when an answer has forgotten something. Any thread.
class config_table {
 public:
  using revisions = std::map<shard_id, std::uint64_t>;

  /// To be called before a request is sent: its answer may not be older than this.
  revisions seen() const;
  /// Takes over what is newer than what it has.
  void learn(const stored_config& config);
  /// The members whose latest run the authority must confirm with the proposal: those that are new in it.
  /// All of them when the config at that revision is not known.
  std::vector<member> added_by(shard_id shard, std::uint64_t expected_revision,
                               const shard_config& proposed) const;

  void learn_name(node_id number, const std::string& name);
  std::optional<std::string> name_of(node_id number) const;

 private:
  mutable std::mutex mutex_;
  std::map<shard_id, stored_config> configs_;
  std::map<node_id, std::string> names_;
};

/// Whether the configs (all that the authority holds) are at least as new as what was seen.
bool has_forgotten(const std::vector<stored_config>& now, const config_table::revisions& seen);

}  // namespace troupe::etcd
