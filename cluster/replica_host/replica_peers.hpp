#pragma once

#include "cluster/replica/message.hpp"

namespace troupe {

/// The way to the replicas of other nodes, which a transport implements: a message may be lost, late,
/// repeated or out of order. What comes from there goes to replica_host::receive().
class replica_peers {
 public:
  virtual ~replica_peers() = default;
  /// Any thread; must not block and must not call back.
  virtual void send(const replication::message& what) = 0;
};

}  // namespace troupe
