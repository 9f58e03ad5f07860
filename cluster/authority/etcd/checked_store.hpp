#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "cluster/authority/etcd/answer_gate.hpp"
#include "cluster/authority/etcd/gateway_link.hpp"
#include "cluster/authority/etcd/wire.hpp"

namespace troupe::etcd {

/// What it takes to ask etcd one thing: the worker's connection and the time that is left.
struct asking {
  gateway_link& link;
  gateway_link::time_point deadline;
};

/// etcd's two calls, with every answer checked. No value means "not known": for a range that it failed, for
/// a transaction that it may have been done or may still be done later. Any thread.
class checked_store {
 public:
  explicit checked_store(answer_gate& gate) : gate_(gate) {}

  std::optional<range_answer> range(asking& who, const std::string& prefix, want what, std::string& error);
  /// Sent once, never repeated.
  std::optional<txn_answer> txn(asking& who, const std::vector<unchanged>& conditions,
                                const std::vector<put>& puts, const std::vector<std::string>& read_otherwise,
                                std::string& error);
  /// Content that cannot be: counted and logged like any other answer that is refused.
  void refuse(refusal why, const std::string& detail) { gate_.refuse(why, detail); }

  /// It has said so last that it has no room for changes.
  bool is_full() const { return is_full_; }

 private:
  answer_gate& gate_;
  std::atomic<bool> is_full_{false};
};

}  // namespace troupe::etcd
