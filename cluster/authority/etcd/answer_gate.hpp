#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

#include "cluster/authority/etcd/wire.hpp"

namespace troupe::etcd {

/// declined: an error status, which says nothing about whether it was done.
enum class refusal : std::uint8_t { nonsense = 1, rolled_back, other_cluster, declined };

/// What was refused since the start. Each stands for an answer that changed nothing here.
struct refusal_counts {
  std::uint64_t nonsense = 0;
  std::uint64_t rolled_back = 0;
  std::uint64_t other_cluster = 0;
  std::uint64_t declined = 0;
  std::uint64_t impossible() const { return nonsense + rolled_back + other_cluster; }
};

/// Believes an answer only when it comes from the etcd cluster of the first answer, and is not older than
/// what had been seen before it was asked for: a store that was restored from a backup is refused, because
/// what it has forgotten may have been acted upon. Answers to requests that ran side by side may overtake
/// each other, so each is compared with what was known when its request was sent. Any thread.
class answer_gate {
 public:
  /// `known_revision`: the greatest one that is known from an earlier run of this process.
  explicit answer_gate(std::uint64_t known_revision) : newest_(known_revision) {}

  /// To be called before a request is sent, and handed to admit() with its answer.
  std::uint64_t newest() const;
  /// Whether the answer may be believed; otherwise it is counted and logged.
  bool admit(const answer_header& header, std::uint64_t newest_when_sent);
  /// Counts an answer that is no answer, or whose content cannot be, and logs it: once a minute a reason.
  void refuse(refusal why, const std::string& detail);
  refusal_counts counts() const;

 private:
  void count(refusal why, const std::string& detail);  // under the lock

  mutable std::mutex mutex_;
  std::uint64_t newest_;
  std::uint64_t etcd_cluster_ = 0;
  refusal_counts counts_;
  std::array<std::chrono::steady_clock::time_point, 5> quiet_until_{};  // by refusal
};

}  // namespace troupe::etcd
