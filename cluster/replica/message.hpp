#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "cluster/authority/shard_config.hpp"
#include "cluster/replica/log_shape.hpp"
#include "runtime/base/shard_id.hpp"
#include "runtime/base/uuid.hpp"

namespace troupe::replication {

using troupe::shared_bytes;

/// Entries of one epoch that follow each other, encoded; what is inside is the runtime's business. No bytes:
/// a barrier, the first entry of an epoch, which changes nothing.
struct chunk {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t epoch = 0;
  std::uint64_t previous_epoch = 0;  // of the entry at first - 1
  shared_bytes bytes;
};

/// What a replica knows of the worth of its own disk.
enum class disk_state : std::uint8_t {
  blank = 1,        // nothing of this shard was found: new, or its content was lost
  sound = 3,        // once in the in-sync set, and nothing is known to have been lost since
  quarantined = 4,  // contradicts its primary's log: left as it is, and silent, also after a restart
};

/// The primary of the message's epoch shows its log below its first own entry, so that a backup can cut what
/// is not in it. That part of the log does not change any more during the epoch.
struct activate {
  epoch_history history;
  std::uint64_t barrier = 0;  // index of the epoch's first entry
  std::uint64_t round = 0;
};

/// Entries; without any, a sign of life and a question ("do you still follow me?").
struct append {
  std::uint64_t commit = 0;
  std::uint64_t round = 0;  // counts questions; the answer repeats it (read_gate)
  std::vector<chunk> chunks;
};

/// Everything up to `match` is on disk here and equal to the primary's log; sent only after fsync.
struct append_ack {
  std::uint64_t match = 0;
  std::uint64_t round = 0;
  bool is_full = false;     // the disk takes no more entries
  bool is_leaving = false;  // this process is going to stop: nobody is to wait for it then
};

enum class refusal : std::uint8_t {
  newer_epoch = 1,  // the message's epoch shows a newer one
  not_activated = 2,
  gap = 3,     // the log ends at `number`
  fenced = 4,  // a poll at revision `number` was answered: nothing of an older revision counts
};

struct nack {
  refusal why = refusal::gap;
  std::uint64_t number = 0;
};

/// The primary has stopped: nobody needs to wait until that is suspected.
struct release {};

/// "How far does your log go?", by one who wants to be elected at that revision without having been in sync
/// during its present life. Who answers promises, on disk, to acknowledge nothing of an older revision.
struct poll {
  std::uint64_t revision = 0;
  std::uint64_t nonce = 0;
};

struct poll_answer {
  std::uint64_t nonce = 0;
  log_position end;  // on disk
  disk_state disk = disk_state::blank;
  incarnation disk_since = 0;
};

/// Asked by who suspects the primary; who has heard of it lately says so.
struct suspicion {};
struct heard_lately {};

/// A piece of the state after entry `index`.
struct snapshot_part {
  std::uint64_t index = 0;
  epoch_history history;  // of the entries up to index
  std::uint64_t offset = 0;
  std::uint64_t total = 0;
  std::uint64_t hash = 0;  // of the whole
  shared_bytes bytes;
};

/// The next piece of the snapshot at `index` that is wanted.
struct snapshot_ack {
  std::uint64_t index = 0;
  std::uint64_t offset = 0;
};

using message_body = std::variant<activate, append, append_ack, nack, release, poll, poll_answer, suspicion,
                                  heard_lately, snapshot_part, snapshot_ack>;

/// From one run of a node to one run of another; any other run drops it.
struct message {
  shard_id shard = 0;
  member from;
  member to;
  std::uint64_t epoch = 0;     // the newest that the sender knows
  std::uint64_t revision = 0;  // of the newest config that the sender knows
  message_body body;
};

}  // namespace troupe::replication
