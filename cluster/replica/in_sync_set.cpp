#include "cluster/replica/in_sync_set.hpp"

#include <algorithm>

namespace troupe::replication {

void in_sync_set::accept(const stored_config& now) {
  known_ = now.config.in_sync;
  std::erase_if(proposals_, [&](const proposal& p) { return p.base_revision < now.revision; });
  unite();
}

void in_sync_set::propose(std::uint64_t base_revision, std::vector<member> members) {
  // While the authority is away the same is proposed again and again.
  for (const auto& p : proposals_)
    if (p.base_revision == base_revision && p.members == members) return;
  proposals_.push_back({base_revision, std::move(members)});
  unite();
}

void in_sync_set::expect(std::optional<member> joining) {
  if (joining_ == joining) return;
  joining_ = joining;
  unite();
}

void in_sync_set::forget_proposals() {
  proposals_.clear();
  joining_.reset();
  unite();
}

void in_sync_set::unite() {
  maximal_ = known_;
  for (const auto& p : proposals_) maximal_.insert(maximal_.end(), p.members.begin(), p.members.end());
  if (joining_) maximal_.push_back(*joining_);
  std::sort(maximal_.begin(), maximal_.end());
  maximal_.erase(std::unique(maximal_.begin(), maximal_.end()), maximal_.end());
}

std::vector<member> with(std::vector<member> members, member who) {
  members = without(std::move(members), who.node);
  members.insert(std::upper_bound(members.begin(), members.end(), who), who);
  return members;
}

std::vector<member> without(std::vector<member> members, node_id node) {
  std::erase_if(members, [&](const member& m) { return m.node == node; });
  return members;
}

member find_node(const std::vector<member>& members, node_id node) {
  for (const auto& m : members)
    if (m.node == node) return m;
  return {node, 0};
}

}  // namespace troupe::replication
