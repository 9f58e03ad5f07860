#pragma once

#include <chrono>
#include <cstdint>

#include "cluster/replica/mutant.hpp"

namespace troupe::replication {

/// Time on the replica's own clock, from an arbitrary start. It decides when to suspect, to repeat and to
/// give up; whether anything may be committed or answered never depends on it (docs/replication.md, D1).
using moment = std::chrono::microseconds;

enum class disk_trust : std::uint8_t {
  fsync = 1,  // what was synced is there after a restart, unless the disk is visibly damaged
  none = 2,  // a restart may have lost synced entries without a trace: only all in-sync copies together count
};

struct replica_options {
  moment beat{250'000};               // a backup hears of its primary at least this often
  moment haste{100'000};              // for one more word of somebody whose connection broke, one more look
  moment suspect_after{800'000};      // silence of the primary
  moment rank_delay{100'000};         // later, for each in-sync replica that goes first
  moment stall_after{3'000'000};      // suspicion that no longer listens to who has heard of the primary
  moment restarted_delay{3'000'000};  // later, for a copy that was not in sync in this life (E2, E3)
  moment poll_patience{10'000'000};   // E2: how long to wait for in-sync copies that do not answer
  moment election_retry{500'000};
  moment shrink_after{800'000};     // silence of a backup
  moment slow_after{3'000'000};     // a backup that answers and makes no progress
  moment rejoin_after{10'000'000};  // between leaving the in-sync set and joining it again
  moment resend_after{300'000};
  moment config_interval{2'000'000};  // between reads of the authority that nothing gave cause for
  moment transfer_patience{2'000'000};
  std::uint64_t window_entries = 4096;   // sent to a backup and not acknowledged
  std::uint64_t catch_up_entries = 512;  // in one message, for a backup that is behind
  std::uint64_t join_lag = 256;          // entries that a new in-sync replica may be behind
  disk_trust trust = disk_trust::fsync;
  mutant bug = mutant::none;
};

}  // namespace troupe::replication
