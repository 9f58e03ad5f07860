#pragma once

#include <cstdint>
#include <variant>

#include "cluster/authority/authority.hpp"
#include "cluster/replica/message.hpp"

namespace troupe::replication {

/// Time passed. Several times a beat.
struct tick {};

struct received {
  message what;
};

/// Every disk action up to that number is on disk.
struct disk_done {
  std::uint64_t number = 0;
};

/// What a read of the authority showed of this shard, asked for or not.
struct config_read {
  stored_config now;
};

/// The outcome of the compare_and_set with that nonce; exactly one each, `unknown` included.
struct cas_done {
  uuid nonce;
  cas_result result;
};

/// That run of a node is there: it said hello.
struct peer_seen {
  member who;
};

/// The connection to that run of a node broke, as it does when a process ends. It only makes haste: who is
/// heard of afterwards is not gone.
struct peer_lost {
  member who;
};

/// The next entries. Only while serving; those that were made before set_accepting{false} may still come.
/// `first` follows the last entry, the epoch is this one.
struct propose {
  chunk entries;
};

/// Something was answered from the state after entry `index`, without an entry of its own. Tickets and
/// indexes never go down.
struct read {
  std::uint64_t ticket = 0;
  std::uint64_t index = 0;
};

/// A snapshot on disk covers the entries before `start`, and they are gone. All of them were committed.
struct compacted {
  std::uint64_t start = 0;
};

/// Answers take_snapshot.
struct snapshot_taken {
  node_id receiver = node_id::none;
  std::uint64_t index = 0;
  std::uint64_t total = 0;
  std::uint64_t hash = 0;
};

/// Make that node the primary.
struct transfer_to {
  node_id node = node_id::none;
};

/// Make any other node the primary: this one is going to stop.
struct resign {};

/// The disk is almost full (what is left is for metadata), or is so no longer.
struct storage_full {
  bool is_full = false;
};

using event = std::variant<tick, received, disk_done, config_read, cas_done, peer_seen, peer_lost, propose,
                           read, compacted, snapshot_taken, transfer_to, resign, storage_full>;

}  // namespace troupe::replication
