#pragma once

#include <cstdint>
#include <deque>

namespace troupe::replication {

/// Holds reads until the in-sync set has confirmed, after they were evaluated, that this still is the primary
/// (docs/replication.md, section 5). Every message to a backup carries the number of a round, every answer
/// the greatest one it has seen. A read waits for a round of which nothing was sent before the read was
/// evaluated.
class read_gate {
 public:
  /// The round for a message that leaves now.
  std::uint64_t stamp() {
    is_stamped_ = true;
    return round_;
  }
  /// The greatest round that anybody can have been asked about.
  std::uint64_t round() const { return round_; }
  void add(std::uint64_t ticket, std::uint64_t index, bool old_round_will_do);
  bool is_empty() const { return waiting_.empty(); }
  /// The last ticket that may be answered when every in-sync replica has confirmed `round`, or 0.
  std::uint64_t release(std::uint64_t commit, std::uint64_t round);
  /// The round that the oldest read waits for.
  std::uint64_t wanted() const { return waiting_.front().round; }
  void clear() { waiting_.clear(); }

 private:
  struct reads {
    std::uint64_t last_ticket = 0;
    std::uint64_t index = 0;
    std::uint64_t round = 0;
  };
  std::deque<reads> waiting_;  // reads of one round and one index share an element
  std::uint64_t round_ = 1;
  bool is_stamped_ = false;
};

}  // namespace troupe::replication
