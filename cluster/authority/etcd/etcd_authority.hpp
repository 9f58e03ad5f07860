#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cluster/authority/authority.hpp"
#include "cluster/authority/etcd/answer_gate.hpp"
#include "cluster/authority/membership.hpp"

namespace troupe::etcd {

struct etcd_options {
  std::vector<std::string> endpoints;  // "http://host:port", any member of the etcd cluster
  std::string cluster;                 // troupe's name in its keys: [a-z0-9][a-z0-9-]{0,62}
  /// The greatest revision that the data directory knows of: an etcd that is older is refused.
  std::uint64_t known_revision = 0;
  std::chrono::milliseconds patience{3000};            // each call is answered within it
  std::chrono::milliseconds hint_interval{2000};       // how often everything is looked at
  std::chrono::milliseconds address_lifetime{10'000};  // of a node's address after its last sign of life
};

struct etcd_figures {
  refusal_counts refused;
  std::uint64_t unknown_outcomes = 0;  // compare-and-set calls
  std::uint64_t failed_reads = 0;
  bool is_full = false;  // it takes no changes
};

/// The authority of many machines: etcd 3.4 or later, over its JSON gateway, as a linearizable register and
/// nothing else. A write is one transaction that is sent once; reads are
/// linearizable; leases and watches carry hints only. Threads: four workers with a connection each, a
/// timekeeper, and two for hints. Callbacks run on them and must not block. An answer that cannot be, or that
/// is older than what was seen, is refused: the call ends as if there had been none.
class etcd_authority final : public authority, public membership {
 public:
  explicit etcd_authority(etcd_options options);
  /// Open calls are answered "not known" before it returns.
  ~etcd_authority() override;

  void read_all(std::function<void(read_result)> done) override;
  void cas(shard_id shard, std::uint64_t expected_revision, const shard_config& proposed,
           std::function<void(cas_result)> done) override;
  /// The last one given is called; it must not block.
  void on_hint(std::function<void()> changed) override;

  void register_node(const node_profile& self, std::function<void(registration_result)> done) override;
  void read_nodes(std::function<void(nodes_result)> done) override;

  etcd_figures figures() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// Why these options cannot work; empty when they can.
std::string fault_in(const etcd_options& options);

}  // namespace troupe::etcd
