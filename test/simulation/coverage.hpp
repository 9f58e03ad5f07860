#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace troupe::simulation {

/// What has to happen now and then: runs in which nothing went wrong prove nothing.
enum class mark : std::uint8_t {
  truncation,
  election,
  election_by_poll,
  poll_outdone,
  poll_fenced,
  poll_waited_for_all,
  swap_at_floor,
  joined,
  left,
  ambiguous_write_applied,
  touch,
  dedup_after_failover,
  stale_read_blocked,
  snapshot_installed,
  snapshot_interrupted,
  damaged_stage_refused,
  transfer,
  transfer_unknown,
  transfer_left_open,
  stuck_disk,
  release,
  double_failover,
  rollback_refused,
  hint,
  foreign_run,
  frame_refused,
  pre_vote_heeded,
  proof_of_death,
  primary_lost,
  unknown_outcome,
  storage_full,
  count,
};

constexpr std::string_view mark_names[] = {"log truncated",
                                           "election",
                                           "election by poll",
                                           "poll outdone",
                                           "poll fenced",
                                           "poll waits for all copies",
                                           "swap at the floor",
                                           "joined in-sync set",
                                           "left in-sync set",
                                           "lost answer, yet written",
                                           "touch",
                                           "repeat known after failover",
                                           "read of a deposed primary blocked",
                                           "snapshot installed",
                                           "snapshot interrupted",
                                           "damaged snapshot refused",
                                           "transfer",
                                           "transfer of unknown outcome",
                                           "transfer left open",
                                           "primary with a stuck disk gave way",
                                           "release",
                                           "failover before activation",
                                           "rolled back authority refused",
                                           "hint",
                                           "message of another run",
                                           "frame refused",
                                           "pre-vote heeded",
                                           "proof of death",
                                           "connection to a primary lost",
                                           "outcome unknown to a client",
                                           "refused: storage full"};
static_assert(sizeof(mark_names) / sizeof(mark_names[0]) == static_cast<std::size_t>(mark::count));

struct coverage {
  std::array<std::uint32_t, static_cast<std::size_t>(mark::count)> times{};
  void add(mark m, std::uint64_t n = 1) {
    times[static_cast<std::size_t>(m)] += static_cast<std::uint32_t>(n);
  }
};

}  // namespace troupe::simulation
