#include "cluster/replica/log_shape.hpp"

#include <algorithm>
#include <string>

#include "runtime/base/assert.hpp"

namespace troupe::replication {

std::uint64_t log_shape::epoch_at(std::uint64_t index) const {
  for (std::size_t i = history_.size(); i > 0; --i)
    if (history_[i - 1].first_index <= index) return history_[i - 1].epoch;
  return 0;
}

epoch_history log_shape::history_until(std::uint64_t index) const {
  epoch_history until;
  for (const auto& start : history_)
    if (start.first_index <= index) until.push_back(start);
  return until;
}

void log_shape::append(std::uint64_t last, std::uint64_t epoch) {
  TROUPE_ASSERT(last > last_ && epoch >= last_epoch(), "append at " + std::to_string(last_));
  if (epoch > last_epoch()) history_.push_back({epoch, last_ + 1});
  last_ = last;
}

void log_shape::truncate(std::uint64_t last) {
  if (last >= last_) return;
  last_ = last;
  while (!history_.empty() && history_.back().first_index > last) history_.pop_back();
}

void log_shape::reset(std::uint64_t index, epoch_history history) {
  start_ = index + 1;
  last_ = index;
  history_ = std::move(history);
}

std::uint64_t log_shape::common_end(const epoch_history& theirs, std::uint64_t their_last) const {
  std::uint64_t end = last_;
  for (auto mine = history_.rbegin(); mine != history_.rend(); ++mine) {
    const auto same = std::find(theirs.begin(), theirs.end(), *mine);
    if (same != theirs.end()) {
      const auto their_end = same + 1 == theirs.end() ? their_last : (same + 1)->first_index - 1;
      return std::min(end, their_end);
    }
    end = mine->first_index - 1;
  }
  return 0;
}

}  // namespace troupe::replication
