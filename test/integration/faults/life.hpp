#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "runtime/journal/journal.hpp"
#include "test/integration/faults/script.hpp"

namespace troupe::faults {

/// What a life tells while it runs, from any of its threads.
struct life_events {
  std::function<void(shard_id, std::uint64_t index)> appended = [](shard_id, std::uint64_t) {};
  /// A shard may now answer for its entries up to that index.
  std::function<void(shard_id, std::uint64_t index)> acknowledged = [](shard_id, std::uint64_t) {};
  /// The shard's strays of that epoch and of older ones are cut off, on disk.
  std::function<void(shard_id, std::uint64_t epoch)> cut = [](shard_id, std::uint64_t) {};
  std::function<void(std::uint64_t epoch)> opened = [](std::uint64_t) {};
};

/// How long what is written waits until its rows are, and until the mark is on disk.
struct life_pace {
  std::chrono::milliseconds apply_delay{1};
  std::chrono::milliseconds mark_interval{1};
};

/// A shard's state after some entry of the script.
struct snapshot {
  shard_id shard = 0;
  std::uint64_t index = 0;
  std::uint64_t epoch = 0;
  std::vector<std::string> pieces;
};

/// One process life of a store and its journal, which appends the script's entries from where the log ends.
/// In between it appends strays, which are cut off before anything is promised, and goes on in a higher
/// epoch; strays that a life before has left are cut off first. Everything is small, so that a short life
/// flushes, compacts, applies, trims and marks often.
class life final : public journal_listener {
 public:
  static std::variant<std::unique_ptr<life>, store_error> begin(const std::string& directory,
                                                                std::shared_ptr<rocksdb::FileSystem> disk,
                                                                life_events events = {},
                                                                const life_pace& pace = {});
  ~life() override;

  /// Appends to some shards, waits until that is on disk, commits it, and now and then waits until it is
  /// applied; `rounds` times, or until the script ends.
  void run(const script& plan, std::uint32_t seed, std::size_t rounds);
  /// The same, and now and then a shard gets a snapshot of a later state; some are given up half way.
  void run_with_snapshots(const script& plan, const std::vector<snapshot>& given, std::uint32_t seed,
                          std::size_t rounds);
  /// Appends without strays up to that entry of each shard, and takes snapshots of that.
  std::vector<snapshot> take_snapshots(const script& plan, std::uint64_t end);

  /// Of the script's entries in each shard's log.
  const std::vector<std::uint64_t>& ends() const { return ends_; }
  /// The newest epoch of strays, when it was opened of those behind them; 0: none.
  const std::vector<std::uint64_t>& strays() const { return strays_; }
  const store& stored() const { return *store_; }

 private:
  explicit life(life_events events) : events_(std::move(events)) {}
  void on_synced(shard_id shard, std::uint64_t index) override;
  void on_applied(shard_id shard, std::uint64_t index) override;
  struct promise {
    std::uint64_t index = 0;      // 0: none
    std::uint64_t cut_epoch = 0;  // 0: nothing was cut
  };
  enum class content { script, strays, one_then_strays };

  std::optional<store_error> take(const std::vector<recovered_shard>& found);
  void apply_recovered(const std::vector<recovered_shard>& found);
  void append(const script& plan, shard_id shard, std::uint64_t count);
  void append_and_cut(const script& plan, shard_id shard, std::uint64_t count, std::uint32_t dice);
  void append_strays(const script& plan, shard_id shard, std::uint64_t first, std::uint64_t count,
                     content what);
  void cut(shard_id shard, std::uint64_t first);
  void put_aside(const snapshot& what, std::size_t pieces);
  void install(const snapshot& what);
  void round(const script& plan, std::mt19937& random, bool is_applied);
  std::uint64_t new_epoch(content what);
  void write(log_write&& what, promise promised);
  void wait(const std::array<std::uint64_t, script::shards>& at);

  life_events events_;
  std::unique_ptr<store> store_;
  std::unique_ptr<journal> journal_;
  std::vector<std::uint64_t> ends_;
  std::vector<std::uint64_t> epochs_;  // of the last entries
  std::vector<std::uint64_t> strays_;
  std::uint64_t epochs_begun_ = 0;
  std::array<std::uint64_t, script::shards> numbers_{};  // of the last writes
  std::mutex mutex_;
  /// Writes by number, and what is promised when they are synced; guarded by mutex_.
  std::array<std::deque<std::pair<std::uint64_t, promise>>, script::shards> waiting_;
  std::condition_variable changed_;
  std::array<std::uint64_t, script::shards> synced_{};   // guarded by mutex_
  std::array<std::uint64_t, script::shards> applied_{};  // guarded by mutex_
};

/// What is wrong with the store's answers when the script's entries up to `ends` are its log; empty: nothing.
std::string compare(const store& stored, const script& plan, const std::vector<std::uint64_t>& ends);

}  // namespace troupe::faults
