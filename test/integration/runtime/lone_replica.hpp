#pragma once

#include <deque>
#include <memory>

#include "runtime/host/shard_replica.hpp"

namespace troupe::test {

/// What a test may do to the replicas of its shards.
struct replica_control {
  bool serves = true;  // at its start; otherwise when let_serve() says so
  bool confirms_reads = true;
};

/// A replica that serves at once, commits what is on disk, and confirms reads unless the test wants to see
/// them wait. Without an authority and a barrier, so that a shard's entries begin where its log ends.
class lone_replica final : public shard_replica {
 public:
  lone_replica(replica_place place, std::uint64_t epoch, const replica_control& control)
      : place_(std::move(place)), epoch_(epoch), control_(control), committed_(place_.found.last) {}

  void start() override {
    if (control_.serves) let_serve();
  }
  void let_serve() { place_.listener->on_serve(epoch_, place_.found.last); }
  void hold(bool begins) { place_.listener->on_holding(begins); }
  /// Another one becomes the primary: what is not committed is gone.
  void depose() {
    written_.clear();
    reads_.clear();
    place_.listener->on_stop_serving();
  }
  /// And this one is elected again, in a later epoch.
  void serve_again() { place_.listener->on_serve(++epoch_, committed_); }
  void hand_over(bool begins) { place_.listener->on_accepting(!begins); }
  void propose(proposal&& p) override {
    written_.emplace_back(++number_, p.last_index);
    place_.log->write({place_.shard, log_write::kind::entries, number_, p.first_index, p.last_index,
                       std::make_shared<const std::string>(std::move(p.chunk)), p.awaited});
  }
  void read(std::uint64_t ticket, std::uint64_t index) override {
    reads_.emplace_back(ticket, index);
    release();
  }
  void on_synced(std::uint64_t number) override {
    while (!written_.empty() && written_.front().first <= number) {
      committed_ = written_.front().second;
      written_.pop_front();
    }
    place_.log->commit(place_.shard, committed_, false);
    place_.listener->on_committed(committed_);
    release();
  }
  void on_applied(std::uint64_t) override {}
  void on_tick() override {}
  void on_storage_full(bool) override {}

  void release() {
    while (control_.confirms_reads && !reads_.empty() && reads_.front().second <= committed_) {
      const auto ticket = reads_.front().first;
      reads_.pop_front();
      place_.listener->on_reads_released(ticket);
    }
  }

 private:
  replica_place place_;
  std::uint64_t epoch_;
  const replica_control& control_;
  std::uint64_t number_ = 0;
  std::uint64_t committed_;
  std::deque<std::pair<std::uint64_t, std::uint64_t>> written_;  // number, last index
  std::deque<std::pair<std::uint64_t, std::uint64_t>> reads_;    // ticket, index
};

}  // namespace troupe::test
