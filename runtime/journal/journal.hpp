#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "runtime/journal/applier.hpp"
#include "runtime/journal/log_index.hpp"
#include "runtime/journal/log_write.hpp"
#include "runtime/journal/snapshot_stage.hpp"
#include "runtime/store/shard_image.hpp"
#include "runtime/store/store.hpp"
#include "runtime/store/sync_mark.hpp"

namespace troupe {

/// What a shard's replica writes to: the port between the shards and the disk. Calls return at once; what
/// came of them is told to the listener.
class shard_log {
 public:
  virtual ~shard_log() = default;
  /// A shard's writes reach the disk in the order in which they are given, and without being asked to.
  virtual void write(log_write&& what) = 0;
  /// Entries up to `index` are committed and may be applied to the store: a little later, or at once when
  /// somebody waits for their rows.
  virtual void commit(shard_id shard, std::uint64_t index, bool is_awaited) = 0;
};

/// Entries out of a shard's log, of one epoch.
struct log_extract {
  std::uint64_t first_index = 0;
  std::uint64_t last_index = 0;
  std::uint64_t epoch = 0;
  std::uint64_t previous_epoch = 0;  // of the entry at first_index - 1
  shared_bytes bytes;                // as chunk_writer makes it
};

/// What backups that are behind are given: entries that are still in the log, else the state. Any thread.
class shard_history {
 public:
  virtual ~shard_history() = default;
  /// Entries from `first` up to at most `last`, in chunks of about `bytes_max` together, one entry at least;
  /// empty when `first` is not in the log any more, or not yet. What the shard has written, and was not told
  /// that it is on disk, may be missing; and what it has cut off since may still be there.
  virtual std::vector<log_extract> read(shard_id shard, std::uint64_t first, std::uint64_t last,
                                        std::size_t bytes_max) const = 0;
  /// The first entry of the shard that can be read; 0: none.
  virtual std::uint64_t first_kept(shard_id shard) const = 0;
  /// Entries from `index` on are kept, as far as keep_bytes_max goes; until then what is not applied is.
  virtual void keep_from(shard_id shard, std::uint64_t index) = 0;

  using image_handler = std::function<void(std::unique_ptr<shard_image>)>;
  /// Gives the shard as it is after some entry, on the journal's thread, which must not be blocked long.
  /// Waits until what earlier lives left is applied.
  virtual void take_image(shard_id shard, image_handler done) = 0;
};

/// Called on the journal's threads; must not block and must not call back.
class journal_listener {
 public:
  virtual ~journal_listener() = default;
  /// The shard's writes up to that number are on disk here.
  virtual void on_synced(shard_id shard, std::uint64_t number) = 0;
  /// The rows of entries up to `index` can be read from the store.
  virtual void on_applied(shard_id shard, std::uint64_t index) = 0;
};

struct journal_options {
  /// While rounds follow each other, one with fewer awaited entries than this waits a little for more: a
  /// small round costs almost as much as a large one. The first round after a pause never waits.
  std::size_t gather_entries = 12;
  std::chrono::microseconds gather_max{250};
  /// Entries that nobody waits for (what an outbox message or a timer did) go with the next round, and this
  /// is the longest that they wait for one.
  std::chrono::microseconds unawaited_max{2000};
  /// Log that one round writes and syncs; what was appended beyond waits for the next. An entry larger than
  /// this is written alone.
  std::size_t round_bytes_max = 8U << 20U;
  /// How long committed entries wait until they are applied: the longer, the more rows are written once
  /// instead of often, and the more a restart replays.
  std::chrono::milliseconds apply_delay{1000};
  std::size_t apply_entries_max = 60'000;
  /// Rows that the applier writes at once; bounds what it adds to the write of a frame that comes meanwhile.
  std::size_t slice_rows = 128;
  std::size_t trim_bytes = 4U << 20U;
  /// Log that is kept for backups although it is applied; who needs more gets a snapshot.
  std::size_t keep_bytes_max = 256U << 20U;
  std::chrono::milliseconds mark_interval{1000};
};

struct journal_figures {
  std::uint64_t syncs = 0;
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;
  std::uint64_t sync_us_sum = 0;
  std::uint64_t sync_us_max = 0;
  std::uint64_t applied_entries = 0;
};
TROUPE_DESCRIBE(journal_figures, syncs, chunks, bytes, sync_us_sum, sync_us_max, applied_entries)

/// Several shards' chunks, written as one record of the log: one insertion and one fsync a round, however
/// many shards took part. [format] then, a chunk, [shard][first index][length][bytes]. Without bytes: the
/// shard's entries from that index on go. With the bytes log_begins: a snapshot covers what is before it.
class log_frame {
 public:
  static constexpr std::string_view log_begins{"\0", 1};
  void add(shard_id shard, std::uint64_t first_index, std::string_view chunk);
  bool empty() const { return bytes_.empty(); }
  const std::string& bytes() const { return bytes_; }

  struct part {
    shard_id shard = 0;
    std::uint64_t first_index = 0;
    std::string_view chunk;
  };
  /// False for bytes that are not a frame; the views point into `bytes`.
  [[nodiscard]] static bool decode(std::string_view bytes, std::vector<part>& parts);

 private:
  std::string bytes_;
};

/// The node's log. Its thread takes what all shards have appended since the last round, writes it as
/// one frame with one fsync, tells the shards, and starts over; so commands that arrive during an fsync share
/// the next one, and an idle node waits for nothing. Committed entries are applied to the rows a little
/// later, each row once, in slices beside the frames; then their frames are dropped.
class journal final : public shard_log, public shard_history {
 public:
  journal(store& to, journal_listener& listener, journal_options options, const std::string& directory);
  ~journal() override;

  /// Reads and verifies the log. Call once, before start(). Gives what each shard's replica is made of, or
  /// says why this log must not be used; nothing on disk is changed. What was not applied is kept at hand and
  /// applied when it is committed.
  std::variant<std::vector<recovered_shard>, store_error> recover();
  void start();
  /// Writes and applies what was appended and committed before, then ends the thread.
  void stop();

  void write(log_write&& what) override;
  void commit(shard_id shard, std::uint64_t index, bool is_awaited) override;

  std::vector<log_extract> read(shard_id shard, std::uint64_t first, std::uint64_t last,
                                std::size_t bytes_max) const override;
  std::uint64_t first_kept(shard_id shard) const override;
  void keep_from(shard_id shard, std::uint64_t index) override;

  void take_image(shard_id shard, image_handler done) override;

  journal_figures figures() const;

 private:
  /// What the thread knows of one shard.
  struct shard_tail {
    std::deque<log_chunk> unapplied;
    std::uint64_t synced = 0;  // the last entry on disk
    std::uint64_t synced_number = 0;
    std::uint64_t committed = 0;
    snapshot_stage stage;
  };
  struct kept_frame {
    std::uint64_t number = 0;
    std::size_t unapplied_chunks = 0;
  };
  static constexpr auto nothing_needed = std::numeric_limits<std::uint64_t>::max();
  struct frame_size {
    std::uint64_t number = 0;
    std::size_t bytes = 0;
  };

  void run();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  bool sleep(std::unique_lock<std::mutex>& lock, std::size_t awaited,
             std::chrono::steady_clock::time_point until);
  void take_commits(std::vector<std::pair<shard_id, std::uint64_t>>& commits);
  void take_round(std::deque<log_write>& waiting, std::vector<log_write>& taken) const;
  void round(std::vector<log_write>& incoming, bool is_last);
  std::uint64_t put_frame(const std::vector<log_write>& incoming);
  void keep(std::vector<log_write>& incoming, std::uint64_t frame);
  void cut(shard_id shard, std::uint64_t first_index);
  void prepare_installs(const std::vector<log_write>& incoming);
  void put_snapshot(const log_write& w, log_frame& frame);
  void finish_install(const log_write& w);
  void forget_unapplied(shard_id shard);
  void give_images();
  void make_readable(const std::vector<log_write>& incoming, std::uint64_t frame);
  void report(const std::vector<log_write>& incoming);
  void await_applier(bool is_awaited);
  bool begin_apply();
  void finish_applied(std::vector<log_chunk>&& job);
  void take_finished();
  void trim();
  std::uint64_t needed_frame();
  void lower_mark(const std::vector<log_write>& incoming);
  synced_state synced() const;
  void write_mark(std::chrono::steady_clock::time_point now, bool is_last);

  store& store_;
  log_index index_;
  journal_listener& listener_;
  const journal_options options_;
  const std::string directory_;
  sync_mark mark_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<log_write> incoming_;                          // guarded by mutex_
  std::vector<std::pair<shard_id, std::uint64_t>> commits_;  // guarded by mutex_
  std::vector<std::uint64_t> needed_from_;                   // guarded by mutex_; by shard
  std::vector<log_chunk> finished_;  // guarded by mutex_; applied, frames to be dropped
  std::vector<std::pair<shard_id, image_handler>> images_;  // guarded by mutex_; asked for
  bool stopping_ = false;                                   // guarded by mutex_
  bool rows_are_awaited_ = false;                           // guarded by mutex_
  bool applier_is_awaited_ = false;                         // guarded by mutex_; to apply at once
  std::size_t incoming_awaited_ = 0;                        // guarded by mutex_
  std::size_t wake_at_awaited_ = 0;                         // guarded by mutex_; 0 while awake
  std::chrono::steady_clock::time_point sleeps_until_{};    // guarded by mutex_; while asleep

  // Only the journal's thread, and recover() before it, touch what follows.
  std::vector<shard_tail> tails_;
  std::vector<shard_id> dirty_;  // shards with committed entries that are not applied
  store_batch batch_;
  std::vector<log_chunk> ready_;  // committed, for the applier
  bool apply_at_once_ = false;
  std::size_t unapplied_entries_ = 0;
  std::chrono::steady_clock::time_point oldest_unapplied_{};
  std::chrono::steady_clock::time_point last_round_{};
  std::uint64_t next_frame_ = 1;
  std::deque<kept_frame> frames_;     // from the first that is not applied
  std::deque<frame_size> log_sizes_;  // of all that are in the log
  std::size_t log_bytes_ = 0;         // their sum
  std::chrono::steady_clock::time_point next_mark_{};
  bool mark_is_stale_ = false;
  std::uint64_t synced_sequence_ = 0;  // all writes up to that number are on disk

  mutable std::mutex figures_mutex_;
  journal_figures figures_;
  std::unique_ptr<applier> applier_;
  std::thread thread_;
};

}  // namespace troupe
