#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <variant>
#include <vector>

#include "cluster/authority/etcd/etcd_authority.hpp"
#include "cluster/authority/fresh_uuid.hpp"
#include "cluster/node/background.hpp"
#include "cluster/node/desk.hpp"
#include "cluster/node/identity.hpp"
#include "cluster/placement/placement.hpp"
#include "cluster/replica_host/replica_host.hpp"
#include "cluster/routing/cluster_view.hpp"
#include "cluster/transport/transport.hpp"
#include "runtime/entity/describe.hpp"
#include "runtime/host/node.hpp"

namespace troupe {

struct cluster_node_options {
  node_options runtime;
  etcd::etcd_options authority;
  std::string name;             // in the cluster, the same at every start
  bool trusts_disk = false;     // an operator says that it has everything that its node has acknowledged
  std::string zone;             // copies of a shard are in different ones if they can; empty: not said
  std::string advertised;       // ip:port where others reach it; empty: where it listens
  std::string ops;              // address and port of its operations, passed on to who asks; empty: not said
  transport_options transport;  // with a port
  std::uint32_t replicas = 3;   // of each shard, when this node founds the cluster
  /// So long nobody else has come before it does: who starts at the same time is to have a part of it.
  std::chrono::milliseconds found_after{700};
  std::chrono::milliseconds register_patience{60'000};
  std::function<bool()> is_asked_to_end{};  // asked while a start waits, which ends then; may be empty
  /// Another process has been started as this node, with this directory or another one: this one is nobody
  /// any more, and is to be stopped. Once, on a thread of the node's; may be empty.
  std::function<void()> on_superseded{};
};

/// What came from other processes and was refused, since the start; nothing was changed by it.
struct cluster_refusals {
  std::uint64_t processes = 0;    // that do not fit
  std::uint64_t messages = 0;     // that are none, or are damaged
  std::uint64_t words = 0;        // in sound messages, that are none
  std::uint64_t replication = 0;  // entries, snapshots, frames and configs that cannot be true
  std::uint64_t authority =
      0;  // answers of etcd that cannot be true, are older than what was seen, or another etcd's
};
TROUPE_DESCRIBE(cluster_refusals, processes, messages, words, replication, authority)

/// One node of a cluster: the runtime, a replica of every shard on the protocol, connections to the other
/// nodes, and the way in for fronts. Owned and ended like a node.
class cluster_node final : transport_listener, replica_peers, shard_routes, authority {
 public:
  /// Waits for the authority; gives up at `register_patience`, or when the process is asked to end.
  static std::variant<std::unique_ptr<cluster_node>, store_error> start(cluster_node_options options,
                                                                        const kind_registry& kinds,
                                                                        const clock_source& clock);
  ~cluster_node() override;
  cluster_node(const cluster_node&) = delete;
  cluster_node& operator=(const cluster_node&) = delete;

  struct stopped {
    std::size_t kept = 0;  // shards that it is the primary of still: nobody has taken them over
    bool is_quiet = true;  // all that was at work was done by the deadline
  };
  /// Hands its primaries over to who takes them, then ends as node::stop() does.
  stopped stop(std::chrono::milliseconds deadline);

  node& runtime() { return *node_; }
  const member& self() const { return self_; }
  bool is_superseded() const { return is_superseded_; }
  /// How many shards it is the primary of, as far as it knows.
  std::size_t primaries() const;
  /// By shard; null where it has none.
  std::vector<const replica_progress*> progress() const;
  const shard_map& shards() const { return *map_; }
  transport_figures transport_state() const { return transport_->figures(); }
  cluster_refusals refusals() const;
  /// Shards of which the copy here takes part in nothing any more.
  std::vector<std::size_t> quarantined() const { return shards_where(&replica_progress::is_quarantined); }
  etcd::etcd_figures authority_state() const { return authority_->figures(); }
  /// Why it cannot serve fully; empty when it can.
  std::vector<std::string> not_ready() const;

 private:
  explicit cluster_node(cluster_node_options options);
  using parts_or_error = std::variant<node::replica_parts, store_error>;
  parts_or_error replicate(const node::opened_directory& directory);
  std::optional<store_error> join(const node::opened_directory& directory);
  std::optional<store_error> register_patiently(const identity& who);
  void begin();
  void note_later_run(const std::vector<known_node>& nodes);
  std::vector<std::size_t> shards_where(std::atomic<bool> replica_progress::*what) const;

  void on_hello(const hello& who) override;
  void on_word(const hello& who, wire::word what, std::string_view bytes) override;
  void on_lost(const hello& who) override;
  void send(const replication::message& what) override;
  bool is_here(shard_id shard) const override { return map_->primary_of(shard) == self_.node; }
  void send_parcels(shard_id to, const parcel_batch& parcels) override;
  void send_acknowledgements(shard_id to, shard_id by, const std::vector<send_id>& ids) override;

  void keep_until_open(const hello& who, std::optional<wire::word> what, std::string_view bytes);
  void tell_front(const member& front, const stored_config& now);
  void refuse_word(const hello& from, const char* what);
  // What replicas ask of the authority passes here, so that what was written is told to everybody at once.
  void read_all(std::function<void(read_result)> done) override { authority_->read_all(std::move(done)); }
  void cas(shard_id shard, std::uint64_t expected_revision, const shard_config& proposed,
           std::function<void(cas_result)> done) override;
  void on_hint(std::function<void()> changed) override { authority_->on_hint(std::move(changed)); }

  void on_look(const cluster_view::look& seen);
  void tell_replicas();
  static bool is_usable(const known_node& one);
  void found_shards(const std::vector<known_node>& nodes);
  void place(const std::vector<known_node>& nodes);
  std::vector<placement::site> usable(const std::vector<known_node>& nodes,
                                      const std::vector<stored_config>& shards);
  void move_copies(const std::vector<stored_config>& shards, const std::vector<placement::site>& may_hold);
  void hand_back_one(const std::vector<stored_config>& shards);
  void in_replica(shard_id shard, std::function<void(replica_host&)> what);
  std::size_t kept() const;
  std::vector<shard_id> to_hand_over() const;
  void hand_over_all(std::chrono::steady_clock::time_point until);
  void leave(std::chrono::steady_clock::time_point until);
  bool is_waited_for(bool at_floor_too) const;
  bool has_replacement(const shard_config& now) const;

  const cluster_node_options options_;
  member self_;
  uuid cluster_;
  const uuid process_ = fresh_uuid();
  std::unique_ptr<etcd::etcd_authority> authority_;
  std::unique_ptr<authority_reader> reader_;
  std::unique_ptr<shard_map> map_;
  std::unique_ptr<background> background_;  // measures snapshots
  std::unique_ptr<background> log_reader_;
  replica_environment replicas_;
  struct hosted {
    replica_host* replica = nullptr;
    std::function<void(std::function<void()>)> post;
    // The view's thread only.
    std::uint64_t told_revision = 0;
    std::optional<std::chrono::steady_clock::time_point> handed_back_at;  // tried, last
  };
  std::vector<hosted> hosted_;  // by shard
  // The view's thread only.
  address_book addresses_;
  struct sighting {
    std::chrono::steady_clock::time_point at;
    std::string zone;
  };
  std::map<node_id, sighting> seen_;  // each node, last
  std::size_t founding_nodes_ = 0;    // how many are there to found the shards, and since when as many
  std::chrono::steady_clock::time_point founding_nodes_since_;
  std::optional<std::chrono::steady_clock::time_point> whole_since_;
  std::chrono::steady_clock::time_point placed_at_;  // last looked whether something is to move
  std::unique_ptr<node> node_;
  std::unique_ptr<desk> desk_;
  std::atomic<std::uint64_t> malformed_words_{0};
  // What comes from other processes is let through only while it is open: then everything above exists.
  enum class gate_state : std::uint8_t { starting, open, closed };
  std::shared_mutex gate_;
  gate_state state_ = gate_state::starting;  // guarded by gate_
  /// Came before that. A front waits for the answer to a command as long as its connection lives.
  struct early_word {
    hello who;
    std::optional<wire::word> what;  // none: the hello itself
    std::string bytes;
  };
  std::mutex early_mutex_;
  std::vector<early_word> early_;  // guarded by early_mutex_
  std::size_t early_bytes_ = 0;    // the same
  std::unique_ptr<transport> transport_;
  std::unique_ptr<cluster_view> view_;
  std::atomic<bool> has_others_{false};  // other nodes are there, as the authority says
  std::atomic<bool> is_superseded_{false};
  bool is_stopped_ = false;
};

}  // namespace troupe
