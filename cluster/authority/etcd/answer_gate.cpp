#include "cluster/authority/etcd/answer_gate.hpp"

#include <algorithm>

#include "runtime/base/log.hpp"

namespace troupe::etcd {

std::uint64_t answer_gate::newest() const {
  const std::lock_guard lock{mutex_};
  return newest_;
}

bool answer_gate::admit(const answer_header& header, std::uint64_t newest_when_sent) {
  const std::lock_guard lock{mutex_};
  if (etcd_cluster_ != 0 && header.etcd_cluster != etcd_cluster_) {
    count(refusal::other_cluster, "etcd cluster " + std::to_string(header.etcd_cluster) +
                                      " answers instead of " + std::to_string(etcd_cluster_));
    return false;
  }
  if (header.revision < newest_when_sent) {
    count(refusal::rolled_back, "it is at revision " + std::to_string(header.revision) + " and was at " +
                                    std::to_string(newest_when_sent) + "; was it restored from a backup?");
    return false;
  }
  etcd_cluster_ = header.etcd_cluster;
  newest_ = std::max(newest_, header.revision);
  return true;
}

void answer_gate::refuse(refusal why, const std::string& detail) {
  const std::lock_guard lock{mutex_};
  count(why, detail);
}

void answer_gate::count(refusal why, const std::string& detail) {
  switch (why) {
    case refusal::nonsense:
      ++counts_.nonsense;
      break;
    case refusal::rolled_back:
      ++counts_.rolled_back;
      break;
    case refusal::other_cluster:
      ++counts_.other_cluster;
      break;
    case refusal::declined:
      ++counts_.declined;
      break;
  }
  auto& quiet_until = quiet_until_.at(static_cast<std::size_t>(why));
  const auto now = std::chrono::steady_clock::now();
  if (now < quiet_until) return;
  quiet_until = now + std::chrono::minutes{1};
  spdlog::error("{}: {}",
                why == refusal::declined ? "the authority does not do what it is asked"
                                         : "the authority's answer is refused, nothing is changed",
                detail);
}

refusal_counts answer_gate::counts() const {
  const std::lock_guard lock{mutex_};
  return counts_;
}

}  // namespace troupe::etcd
