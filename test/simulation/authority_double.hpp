#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

#include "cluster/authority/authority.hpp"
#include "cluster/replica/mutant.hpp"

namespace troupe::simulation {

/// The authority as it should be: linearizable, revisions that only grow, and of the members that a proposal
/// names only those are compared that it adds (authority/A2). What comes between it and its callers (latency,
/// loss, hints, rollback) is the simulation's.
class authority_double {
 public:
  explicit authority_double(std::size_t shards, replication::mutant bug = replication::mutant::none)
      : bug_(bug), configs_(shards), history_(shards) {}

  /// A new run of that node; greater than all revisions before.
  incarnation register_run(node_id node) { return runs_[node] = ++revision_; }
  incarnation registered(node_id node) const {
    const auto at = runs_.find(node);
    return at == runs_.end() ? 0 : at->second;
  }
  const stored_config& read(shard_id shard) const { return configs_[shard]; }
  /// What the shard's config was some changes ago.
  const stored_config& read_old(shard_id shard, std::size_t back) const {
    const auto& old = history_[shard];
    return old[old.size() - 1 - std::min(back, old.size() - 1)];
  }
  cas_result cas(shard_id shard, std::uint64_t expected, const shard_config& proposed) {
    auto& now = configs_[shard];
    const auto& before = now.config.in_sync;
    std::vector<member> added;
    std::set_difference(proposed.in_sync.begin(), proposed.in_sync.end(), before.begin(), before.end(),
                        std::back_inserter(added));
    const bool are_latest =
        std::all_of(added.begin(), added.end(), [&](const member& m) { return registered(m.node) == m.run; });
    const bool fits = (now.revision == expected || bug_ == replication::mutant::blind_config_write) &&
                      (are_latest || bug_ == replication::mutant::unchecked_runs);
    if (!fits) return {cas_outcome::conflict, now};
    now = {shard, ++revision_, proposed};
    history_[shard].push_back(now);
    return {cas_outcome::won, now};
  }

 private:
  replication::mutant bug_;
  std::uint64_t revision_ = 0;
  std::map<node_id, incarnation> runs_;
  std::vector<stored_config> configs_;
  std::vector<std::vector<stored_config>> history_;
};

}  // namespace troupe::simulation
