#include "cluster/replica/read_gate.hpp"

namespace troupe::replication {

void read_gate::add(std::uint64_t ticket, std::uint64_t index, bool old_round_will_do) {
  if (is_stamped_ && !old_round_will_do) {
    ++round_;
    is_stamped_ = false;
  }
  if (!waiting_.empty() && waiting_.back().round == round_ && waiting_.back().index == index) {
    waiting_.back().last_ticket = ticket;
    return;
  }
  waiting_.push_back({ticket, index, round_});
}

std::uint64_t read_gate::release(std::uint64_t commit, std::uint64_t round) {
  std::uint64_t ticket = 0;
  while (!waiting_.empty() && waiting_.front().index <= commit && waiting_.front().round <= round) {
    ticket = waiting_.front().last_ticket;
    waiting_.pop_front();
  }
  return ticket;
}

}  // namespace troupe::replication
