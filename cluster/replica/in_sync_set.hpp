#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "cluster/authority/authority.hpp"

namespace troupe::replication {

/// The maximal in-sync set of a primary: the authority's set and every set that was proposed and has not been
/// definitely refused (KIP-966; docs/replication.md, section 6). A proposal at revision r is settled by any
/// greater revision and by nothing else: a request whose answer was lost may still be on its way.
class in_sync_set {
 public:
  /// The authority's newest word. Settles what was proposed before it.
  void accept(const stored_config& now);
  void propose(std::uint64_t base_revision, std::vector<member> members);
  void forget_proposals();
  /// Counts before anything is proposed, so that commit waits for it and it comes level under load as well.
  /// It may be let go again: nobody was told of it.
  void expect(std::optional<member> joining);
  std::optional<member> expected() const { return joining_; }

  bool has_proposal() const { return !proposals_.empty(); }
  std::size_t proposal_count() const { return proposals_.size(); }
  const std::vector<member>& maximal() const { return maximal_; }

 private:
  struct proposal {
    std::uint64_t base_revision = 0;
    std::vector<member> members;
  };
  void unite();

  std::vector<member> known_;
  std::vector<proposal> proposals_;
  std::optional<member> joining_;
  std::vector<member> maximal_;  // sorted
};

/// The set with that node's member, of whatever run, replaced or added. Sorted.
std::vector<member> with(std::vector<member> members, member who);
std::vector<member> without(std::vector<member> members, node_id node);
/// The member of that node, or one of run 0.
member find_node(const std::vector<member>& members, node_id node);

}  // namespace troupe::replication
