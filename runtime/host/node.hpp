#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "runtime/base/clock.hpp"
#include "runtime/entity/kind.hpp"
#include "runtime/host/command.hpp"
#include "runtime/host/shard_replica.hpp"
#include "runtime/host/shard_routes.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/store/store.hpp"

namespace troupe {

struct node_options {
  std::string data_directory;
  std::uint16_t shard_count = 64;
  /// CAF scheduler threads; 0 picks half the cores, two at least and sixteen at most.
  std::size_t scheduler_threads = 0;
  /// Entities in memory on this node, unless more are busy at once.
  std::size_t resident_max = 25'600;
  std::int64_t reply_retention_ms = 24LL * 3600 * 1000;
  /// Below this much free disk space changes are refused, so that the log never meets a full disk.
  std::uint64_t free_bytes_min = 256U << 20U;
  journal_options journal;
  std::shared_ptr<rocksdb::FileSystem> disk{};  // as in store_options
};

/// Sums over all shards, and the journal's own; read at any time.
struct node_figures {
  std::uint64_t commands = 0, queries = 0, rejections = 0, overloaded = 0, replays = 0, failures = 0;
  std::uint64_t entries = 0, uncommitted = 0, unapplied = 0;
  std::uint64_t residents = 0, queued = 0, activations = 0, passivations = 0;
  std::uint64_t timers_fired = 0, parcels_sent = 0, parcels_received = 0, parcels_unknown = 0;
  journal_figures journal;
  std::uint64_t store_bytes = 0;
  std::uint64_t disk_free_bytes = 0;
  bool storage_full = false;
};
TROUPE_DESCRIBE(node_figures, commands, queries, rejections, overloaded, replays, failures, entries,
                uncommitted, unapplied, residents, queued, activations, passivations, timers_fired,
                parcels_sent, parcels_received, parcels_unknown, journal, store_bytes, disk_free_bytes,
                storage_full)

/// All durable actors of one process: the store, the journal, and a CAF actor system with the shards. The
/// owner keeps `kinds` and `clock` alive, destroys its ports before the node, and calls stop() from a thread
/// that is not one of the node's.
class node {
 public:
  /// Makes the shards' replicas from what was found in the data directory, whose lock is held by then.
  struct replica_parts {
    replica_maker make;
    shard_routes* routes = nullptr;  // null: every shard of the cluster is on this node
  };
  struct opened_directory {
    const std::string& path;
    const std::vector<recovered_shard>& found;
    shard_history& history;
    /// As store::owner(). An earlier start may have made the store and ended before it said whose it is.
    std::string owner;
    std::function<void(const std::string&)> set_owner;
    /// Comes before anything else in the directory changes that an older troupe would not understand; later
    /// it is done anyway.
    std::function<std::optional<store_error>()> raise_format;

    bool has_data() const;
    /// Nobody has kept anything here: made anew, however often it was opened since.
    bool is_blank() const { return owner.empty() && !has_data(); }
  };
  using replication =
      std::function<std::variant<replica_parts, store_error>(const opened_directory& directory)>;
  /// Returns when every shard's replica has been started; commands wait until theirs serves.
  static std::variant<std::unique_ptr<node>, store_error> start(const node_options& options,
                                                                const kind_registry& kinds,
                                                                const clock_source& clock,
                                                                const replication& replicate);
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  /// One for each I/O loop; see command_port.
  std::unique_ptr<command_port> make_port(std::function<void()> wake);

  /// Ends the work that has begun and refuses new work; gives up waiting at the deadline. Nothing
  /// acknowledged can be lost either way. True when everything ended.
  bool stop(std::chrono::milliseconds deadline);

  node_figures figures() const;

  /// From a shard on another node. Any thread.
  void take_parcels(shard_id to, parcel_batch&& parcels);
  void take_acknowledgements(shard_id to, shard_id by, std::vector<send_id>&& ids);

 private:
  struct impl;
  explicit node(std::unique_ptr<impl> started);
  std::unique_ptr<impl> impl_;
};

}  // namespace troupe
