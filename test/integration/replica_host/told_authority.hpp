#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "cluster/authority/authority.hpp"

namespace troupe::test {

/// Answers when the test says so, and what it says.
class told_authority final : public authority {
 public:
  struct write {
    shard_config proposed;
    std::function<void(cas_result)> done;
  };

  void read_all(std::function<void(read_result)> done) override { reads.push_back(std::move(done)); }
  void cas(shard_id, std::uint64_t, const shard_config& proposed,
           std::function<void(cas_result)> done) override {
    writes.push_back({proposed, std::move(done)});
  }
  void on_hint(std::function<void()>) override {}

  void answer_read(read_result with) {
    const auto done = std::move(reads.front());
    reads.pop_front();
    done(std::move(with));
  }

  std::deque<std::function<void(read_result)>> reads;
  std::deque<write> writes;
};

/// The config of a shard whose only replica is that one.
inline stored_config alone(shard_id shard, member who, std::uint64_t epoch, std::uint64_t revision) {
  return {shard,
          revision,
          {.generation = 0,
           .epoch = epoch,
           .primary = who,
           .in_sync = {who},
           .replicas = {who.node},
           .min_in_sync = 1,
           .written_by = {}}};
}

}  // namespace troupe::test
