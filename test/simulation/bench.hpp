#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "cluster/replica/replica.hpp"
#include "test/simulation/authority_double.hpp"

namespace troupe::simulation {

inline replication::replica_options with_bug(replication::mutant bug) {
  replication::replica_options options;
  options.bug = bug;
  return options;
}

/// A few replicas of one shard, driven by hand: a message arrives, a disk syncs, a clock ticks and the
/// authority answers when the test says so. For schedules that must be exactly so.
class bench {
 public:
  /// Nodes 1 to `count`, all in sync, node 1 the primary of epoch 1; it serves already.
  bench(std::size_t count, std::uint32_t min_in_sync, replication::replica_options options = {});

  replication::replica& at(int node) { return *places_[index(node)].core; }
  void tick(int node, std::chrono::milliseconds later = std::chrono::milliseconds{50});
  /// All that was written is on disk, and the replica hears of it.
  void sync(int node);
  /// The messages under way from one node to another arrive, in their order.
  void deliver(int from, int to, std::size_t at_most = 1000);
  void lose(int from, int to) { links_[{from, to}].clear(); }
  std::deque<replication::message>& link(int from, int to) { return links_[{from, to}]; }
  /// Messages and syncs of these nodes, until nothing is under way between them.
  void settle(std::vector<int> nodes);
  /// Ticks, messages and syncs of these nodes for so long.
  void run(std::vector<int> nodes, std::chrono::milliseconds how_long);
  void propose(int node);
  void read(int node, std::uint64_t ticket);
  void step(int node, const replication::event& what);
  void crash(int node, std::uint64_t lost_entries = 0);
  void restart(int node);
  /// The process is gone, and everything that it had on disk.
  void replace_disk(int node);
  /// The process is gone before anything of its replica was on disk; the disk itself stays, and knows its
  /// first run.
  void crash_before_first_write(int node);
  void let_meet();
  /// A snapshot covers everything committed, and the log before its end is gone.
  void compact(int node);
  /// What was put aside of a snapshot.
  const std::string& staged(int node) const { return places_[index(node)].staged; }

  std::uint64_t released(int node) const { return places_[index(node)].released; }
  bool serves(int node) { return at(node).is_serving(); }
  const shard_config& config() const { return authority.read(0).config; }

  authority_double authority{1};
  /// What becomes of a compare-and-set: done and answered, done and answered as unknown, or held back and
  /// answered as unknown.
  enum class fate { answered, answer_lost, held } cas_fate = fate::answered;
  void apply_held();
  bool authority_is_out = false;

 private:
  struct place {
    std::unique_ptr<replication::replica> core;
    member self;
    replication::moment clock{};
    replication::durable_state written;
    replication::durable_state synced;
    std::uint64_t last_number = 0;
    std::uint64_t released = 0;
    std::string outgoing;  // a snapshot
    std::string staged;
    // Read off the disk, so they wait until what was written before them is there.
    std::deque<std::pair<std::uint64_t, replication::send_entries>> unsent;
    std::uint64_t synced_number = 0;
  };
  static std::size_t index(int node) { return static_cast<std::size_t>(node - 1); }
  void carry_out(int node, replication::action& a);
  void send_from_log(int node, replication::send_entries& e);
  void carry_out_snapshot(int node, replication::action& a);
  void post(int node, replication::message&& what);

  replication::replica_options options_;
  std::vector<place> places_;
  std::map<std::pair<int, int>, std::deque<replication::message>> links_;
  std::vector<replication::compare_and_set> held_;
};

}  // namespace troupe::simulation
