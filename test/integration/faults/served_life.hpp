#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>
#include <vector>

#include "cluster/replica_host/replica_host.hpp"
#include "test/integration/faults/life.hpp"

namespace troupe::faults {

/// One process life of what `serve` runs below its actors, all on one disk: store, journal, the standalone
/// authority, and a replica of each shard. One thread plays the shards. The n-th entry of a shard, barriers
/// not counted, writes its n-th row, so the rows tell what is there.
class served_life final : public journal_listener {
 public:
  static constexpr std::uint16_t shards = 3;
  /// Serves when this returns. `events` as for a life; entries are counted without barriers, and `opened`
  /// tells the greatest epoch that is served.
  static std::variant<std::unique_ptr<served_life>, store_error> begin(
      const std::string& directory, std::shared_ptr<rocksdb::FileSystem> disk, life_events events = {});
  ~served_life() override;

  /// Every shard proposes up to two entries and hears that they are committed; `rounds` times.
  void run(std::uint32_t seed, std::size_t rounds);
  /// How many entries each shard has.
  std::vector<std::uint64_t> ends() const;
  std::uint64_t epoch() const;

 private:
  class served_shard;

  explicit served_life(life_events events);
  void on_synced(shard_id shard, std::uint64_t number) override;
  void on_applied(shard_id shard, std::uint64_t index) override;
  std::optional<store_error> replicate(const std::string& directory,
                                       const std::vector<recovered_shard>& found);
  /// Runs something on the thread that plays the shards.
  void post(std::function<void()> run);
  void run_until(const std::function<bool()>& is_done);

  life_events events_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::function<void()>> posted_;  // guarded by mutex_
  std::unique_ptr<store> store_;
  std::unique_ptr<journal> journal_;
  std::unique_ptr<authority> authority_;
  std::unique_ptr<authority_reader> reader_;
  replica_environment environment_;
  std::vector<std::unique_ptr<served_shard>> shards_;
};

}  // namespace troupe::faults
