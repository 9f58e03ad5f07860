#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/replica/replica.hpp"
#include "test/simulation/authority_double.hpp"
#include "test/simulation/client.hpp"
#include "test/simulation/coverage.hpp"
#include "test/simulation/disk.hpp"
#include "test/simulation/judge.hpp"
#include "test/simulation/network.hpp"
#include "test/simulation/node.hpp"
#include "test/simulation/random.hpp"
#include "test/simulation/scenario.hpp"
#include "test/simulation/timeline.hpp"

namespace troupe::simulation {

struct run_result {
  std::uint64_t seed = 0;
  profile under = profile::mixed;
  std::optional<violation> broken;
  std::uint64_t trace_hash = 0;
  instant simulated = 0;
  std::uint64_t happenings = 0;
  bool is_late = false;  // not recovered at the end, but within the time that is given beyond it
  std::uint64_t writes = 0, reads = 0;
  std::uint32_t faults_drawn = 0;
  std::array<std::uint32_t, static_cast<std::size_t>(fault::count)> faults{};
  coverage covered;
  std::string final_state;
};

/// One cluster, from its creation through its faults to its recovery: everything from one seed, in one
/// thread. The replicas are the real ones; the network, the disks, the clocks, the authority and the clients
/// are not.
class simulation {
 public:
  explicit simulation(const run_options& options);
  ~simulation();
  run_result run();

  // What the parts of the simulation use.
  const run_options options;
  const scenario drawn;
  timeline time;
  instant now_ = 0;
  judge truth;
  authority_double authority;
  network net;
  std::array<std::array<instant, node_max>, node_max> delay_max{};  // by directed link
  std::vector<std::unique_ptr<node>> nodes;
  std::vector<client> clients;
  run_result result;
  bool is_healed = false;

  /// Between a node and the authority.
  struct authority_weather {
    instant out_until = 0, lossy_until = 0, slow_until = 0, rolled_back_until = 0;
    std::size_t rolled_back_by = 0;  // changes
    std::vector<instant> cut_until;  // by node
  } weather;

  void read_authority(node& by, shard_id shard);
  void write_authority(node& by, shard_id shard, replication::compare_and_set&& what);
  void on_config_written(shard_id shard);
  void announce(shard_id shard);
  void post(node& from, replication::message&& what);
  void say_hello(node& from);
  void ask(client& from, std::uint8_t target, const request& what, shard_id shard);
  void answer(node& from, const request& to, verdict how, const reply& what, std::uint64_t index);
  void check_primary(shard_id shard, const replication::replica& primary);
  void check_commit(shard_id shard, const replication::replica& primary, std::uint64_t index);
  void check_in_sync(shard_id shard);
  void check_own_word(shard_id shard, const node& candidate);
  void check_fence(shard_id shard, const node& by, const node& primary);
  void count(fault f) { ++result.faults[static_cast<std::size_t>(f)]; }
  /// The node that is the primary of a shard as far as the authority knows.
  node* primary_of(shard_id shard);
  void crash(node& which, std::size_t kept_changes, instant down_for);
  void trace(const std::string& line);
  /// Adds what a replica counted to the coverage, before it goes.
  void collect(const replication::replica& r);
  void fold(std::uint64_t value) { result.trace_hash = mix(result.trace_hash, value); }

 private:
  struct authority_call {
    member by;
    shard_id shard = 0;
    bool is_read = false;
    replication::compare_and_set write;
    bool is_lost = false;
    std::uint8_t uses = 1;  // things that will happen to it
    instant answer_at = 0, deadline = 0;
    cas_result answer;
  };

  void found_cluster();
  void handle(const scheduled& what);
  void handle_message(const scheduled& what);
  std::optional<replication::message> through_bytes(const replication::message& what);
  void apply_at_authority(const scheduled& what);
  void answer_from_authority(const scheduled& what);
  void inject(std::uint32_t number);
  void start_fault(fault f, random_stream& random);
  bool start_process_fault(fault f, random_stream& random);
  bool start_network_fault(fault f, random_stream& random);
  bool start_authority_fault(fault f, random_stream& random);
  bool start_disk_fault(fault f, random_stream& random);
  bool start_planned_change(fault f, random_stream& random);
  bool may_lose_data(const node& which) const;
  bool is_damaged(const node& which, shard_id shard) const;
  void break_connection(const node& from, const node& to);
  node& any_node(random_stream& random);
  void heal();
  bool is_recovered(std::string* why) const;
  struct client_letter {
    request what;
    shard_id shard = 0;
    verdict how = verdict::answered;
    reply answer;
    std::uint64_t index = 0;
  };
  std::uint32_t keep_letter(client_letter letter);
  bool link_is_cut(const node& from, const node& to) const;
  std::uint32_t keep_call(authority_call&& call);
  void drop_call(std::uint32_t slot);
  std::uint32_t keep_message(replication::message&& what);

  random_stream network_random_;
  random_stream connection_random_;
  random_stream authority_random_;
  std::vector<authority_call> calls_;
  std::vector<std::uint32_t> free_calls_;
  std::vector<replication::message> messages_;
  std::vector<std::uint32_t> free_messages_;
  std::string frame_;
  std::vector<client_letter> letters_;
  std::vector<std::uint32_t> free_letters_;
};

}  // namespace troupe::simulation
