#pragma once

#include <cstdint>
#include <string_view>

namespace troupe::replication {

/// Bugs of known systems, each behind a switch, to prove that the simulator finds them (docs/replication.md,
/// section 16; the row is given). `none` is the protocol.
enum class mutant : std::uint8_t {
  none = 0,
  truncate_to_commit,     // 1
  cut_by_length,          // 2
  one_epoch_lookup,       // 2
  epochless_ack,          // 3
  expand_below_barrier,   // 4
  expand_after_answer,    // 5
  no_incarnations,        // 6
  match_survives,         // 7
  no_floor,               // 8
  ack_before_sync,        // 9
  serve_corrupt_log,      // 25
  resume_old_epoch,       // 11
  shrink_before_answer,   // 12
  elect_anyone,           // 13
  no_reconciliation,      // 14
  unconfirmed_reads,      // 15
  confirm_by_old_acks,    // 15
  confirm_by_known_set,   // 5
  no_barrier,             // 16
  forget_replies,         // 19
  unknown_is_failed,      // 20
  snapshot_ack_early,     // 21
  snapshot_wrong_index,   // 21
  retry_failed_sync,      // 26
  ungated_rejections,     // 27
  reread_means_failed,    // 28
  cut_same_epoch,         // 29
  no_fence,               // 30
  poll_without_all,       // 8, 30
  silent_on_repeats,      // 31, liveness
  release_before_commit,  // I10
  accept_rollback,        // section 7.6
  blank_is_sound,         // section 10
  damaged_copy_leads,     // 10
  blind_config_write,     // 23
  unchecked_runs,         // 6 (KIP-903)
  act_before_answer,      // 24
  transfer_to_anyone,     // 13
  accept_while_unknown,   // section 11
  old_release,            // section 7.1
  poll_ignores_disk,      // 8
  loss_keeps_since,       // section 10
  count,
};

constexpr std::string_view to_string(mutant m) {
  constexpr std::string_view names[] = {
      "none",
      "truncate_to_commit",
      "cut_by_length",
      "one_epoch_lookup",
      "epochless_ack",
      "expand_below_barrier",
      "expand_after_answer",
      "no_incarnations",
      "match_survives",
      "no_floor",
      "ack_before_sync",
      "serve_corrupt_log",
      "resume_old_epoch",
      "shrink_before_answer",
      "elect_anyone",
      "no_reconciliation",
      "unconfirmed_reads",
      "confirm_by_old_acks",
      "confirm_by_known_set",
      "no_barrier",
      "forget_replies",
      "unknown_is_failed",
      "snapshot_ack_early",
      "snapshot_wrong_index",
      "retry_failed_sync",
      "ungated_rejections",
      "reread_means_failed",
      "cut_same_epoch",
      "no_fence",
      "poll_without_all",
      "silent_on_repeats",
      "release_before_commit",
      "accept_rollback",
      "blank_is_sound",
      "damaged_copy_leads",
      "blind_config_write",
      "unchecked_runs",
      "act_before_answer",
      "transfer_to_anyone",
      "accept_while_unknown",
      "old_release",
      "poll_ignores_disk",
      "loss_keeps_since",
  };
  static_assert(sizeof(names) / sizeof(names[0]) == static_cast<std::size_t>(mutant::count));
  return names[static_cast<std::size_t>(m)];
}

}  // namespace troupe::replication
