#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "runtime/journal/log_write.hpp"

namespace troupe::replication {

using troupe::epoch_history;
using troupe::epoch_start;

/// Names one entry for ever. Ordered by epoch first: of two logs the one with the greater last position holds
/// everything that was committed in both their pasts (docs/replication.md, section 10).
struct log_position {
  std::uint64_t epoch = 0;
  std::uint64_t index = 0;
  friend auto operator<=>(const log_position&, const log_position&) = default;
};

/// Everything the protocol needs to know of a log: where it starts and ends, and which epoch wrote what. The
/// entries themselves stay with whoever runs the replica. The history is never shortened from the front, so
/// two logs can be compared even where one of them is only a snapshot.
class log_shape {
 public:
  log_shape() = default;
  log_shape(std::uint64_t start, std::uint64_t last, epoch_history history)
      : start_(start), last_(last), history_(std::move(history)) {}

  /// The first entry that is still in the log; last() + 1 when there is none.
  std::uint64_t start() const { return start_; }
  std::uint64_t last() const { return last_; }
  std::uint64_t last_epoch() const { return history_.empty() ? 0 : history_.back().epoch; }
  log_position end() const { return {last_epoch(), last_}; }
  const epoch_history& history() const { return history_; }
  /// The epoch of an entry up to last(), also of one that only the snapshot covers; 0 for index 0.
  std::uint64_t epoch_at(std::uint64_t index) const;
  /// The history of the entries up to `index`.
  epoch_history history_until(std::uint64_t index) const;

  void append(std::uint64_t last, std::uint64_t epoch);
  void truncate(std::uint64_t last);
  void compact(std::uint64_t start) { start_ = start; }
  /// The log is what a snapshot at `index` leaves: nothing behind it yet.
  void reset(std::uint64_t index, epoch_history history);

  /// The last index up to which this log and one with that history and end are the same: the newest epoch
  /// that began at the same index in both (KIP-101, KIP-279; docs/replication.md, section 8).
  std::uint64_t common_end(const epoch_history& theirs, std::uint64_t their_last) const;

  friend bool operator==(const log_shape&, const log_shape&) = default;

 private:
  std::uint64_t start_ = 1;
  std::uint64_t last_ = 0;
  epoch_history history_;
};

}  // namespace troupe::replication
