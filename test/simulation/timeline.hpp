#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "test/simulation/scenario.hpp"

namespace troupe::simulation {

enum class happening : std::uint8_t {
  tick,              // node
  message,           // node, slot
  sync,              // node
  authority_apply,   // slot
  authority_answer,  // node, slot
  request,           // node, slot (client)
  answer,            // slot (client), number
  client,            // slot: its time to act
  flush,             // node, slot (shard)
  start_node,        // node
  hello,             // node
  connection_lost,   // node, slot (the other node), number (its run)
  greet,             // node: says hello
  disk_has_room,     // node
  hint,              // node, slot (shard): its config may have changed
  end_life,          // node: a resigned process exits
  clog,              // node, number: for how long
  fault,             // slot
};

struct scheduled {
  instant at = 0;
  std::uint64_t order = 0;  // what is scheduled first comes first
  happening what = happening::tick;
  std::uint8_t node = 0;
  std::uint32_t life = 0;  // of the node; another life drops it
  std::uint32_t slot = 0;
  std::uint64_t number = 0;

  friend bool operator<(const scheduled& a, const scheduled& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }
};

/// What is going to happen, in order.
class timeline {
 public:
  instant now() const { return now_; }
  void add(scheduled what) {
    what.order = ++order_;
    if (what.at < now_) what.at = now_;
    queue_.push(what);
  }
  bool is_empty() const { return queue_.empty(); }
  scheduled take() {
    auto first = queue_.top();
    queue_.pop();
    now_ = first.at;
    return first;
  }

 private:
  instant now_ = 0;
  std::uint64_t order_ = 0;
  std::priority_queue<scheduled> queue_;
};

}  // namespace troupe::simulation
