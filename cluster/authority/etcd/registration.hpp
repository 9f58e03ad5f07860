#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cluster/authority/etcd/checked_store.hpp"
#include "cluster/authority/etcd/key_space.hpp"
#include "cluster/authority/membership.hpp"
#include "cluster/authority/records.hpp"

namespace troupe::etcd {

/// Brings one process into its cluster: the cluster's record is created or checked, its name gets a number,
/// and a transaction on its own key starts a new run. A transaction whose outcome is not known is never
/// repeated: everything is read again, and its nonce tells whether it was done after all.
class registration {
 public:
  registration(checked_store& store, const key_space& keys, const node_profile& self)
      : store_(store), keys_(keys), self_(self) {}
  /// Waits for answers, until the deadline.
  registration_result run(asking& who);

 private:
  struct view;  // what the cluster's keys say
  std::optional<view> read(asking& who);
  /// One step forward from what was read; no value: read again.
  std::optional<registration_result> advance(asking& who, const view& now);
  std::optional<std::string> objection(const view& now) const;
  bool may_speak(const view& now) const;
  bool has_lost_something(const view& now) const;
  void create_cluster(asking& who);
  void confirm(asking& who, const view& now);
  std::optional<registration_result> start_run(asking& who, const view& now);
  registration_result registered(const view& now, member as) const;

  checked_store& store_;
  const key_space& keys_;
  const node_profile& self_;
  uuid nonce_;
  bool disk_is_new_ = false;  // as it was before our own record replaced the old one
  std::string error_;
};

/// Every node that has registered, from everything under the cluster's prefix; no value: it cannot be read.
std::optional<std::vector<known_node>> nodes_in(const range_answer& all, const key_space& keys);

}  // namespace troupe::etcd
