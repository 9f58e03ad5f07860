#pragma once

#include <vector>

#include "cluster/authority/authority.hpp"
#include "cluster/replica/replica.hpp"
#include "cluster/replica_host/authority_reader.hpp"
#include "runtime/host/shard_replica.hpp"

namespace troupe {

/// What the replicas of a node share. All of it outlives them.
struct replica_environment {
  authority* decides = nullptr;
  authority_reader* reader = nullptr;
  member self;
  replication::replica_options options;
};

/// Carries out what the protocol decides for one shard: writes to the node's log, asks the authority, tells
/// the shard. This is the case of the only replica of its shard: there is nobody to send to and no other log
/// to give way to, and the process ends when the protocol asks for either. Lives on the shard's thread.
class replica_host final : public shard_replica {
 public:
  /// `place.found` has been looked at by refuse_replica().
  replica_host(replica_place place, const replica_environment& environment);

  void start() override;
  void propose(proposal&& entries) override;
  void read(std::uint64_t ticket, std::uint64_t index) override;
  void on_synced(std::uint64_t number) override;
  void on_applied(std::uint64_t index) override;
  void on_tick() override;
  void on_storage_full(bool is_full) override;

 private:
  void step(const replication::event& what);
  void carry_out(const replication::write_entries& a);
  void carry_out(const replication::truncate_log& a);
  void carry_out(const replication::write_meta& a);
  void carry_out(const replication::compare_and_set& a);
  void carry_out(const replication::read_authority& a);
  void carry_out(const replication::committed& a);
  void carry_out(const replication::serve& a);
  void carry_out(const replication::stop_serving& a);
  void carry_out(const replication::reads_released& a);
  template <class Other>
  void carry_out(const Other& a);
  void report_refusals();

  replica_place place_;
  const replica_environment& environment_;
  replication::replica core_;
  replication::actions actions_;
  std::size_t awaited_ = 0;  // of the proposal at hand
  bool has_served_ = false;
  std::uint64_t next_report_ = 1;  // refusals
};

/// Why a replica cannot be made of that; empty when it can.
std::string refuse_replica(const recovered_shard& found);

}  // namespace troupe
