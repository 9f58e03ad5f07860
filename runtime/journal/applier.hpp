#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/journal/apply_buffer.hpp"
#include "runtime/store/store.hpp"

namespace troupe {

/// A chunk of one shard's log, as it was appended, and the frame that holds it.
struct log_chunk {
  shard_id shard = 0;
  std::uint64_t first_index = 0;
  std::uint64_t last_index = 0;
  shared_bytes bytes;
  std::uint64_t frame = 0;
  bool is_recovered = false;  // of an earlier life, which may have applied a part of it
};

/// Brings the rows of committed entries into the store, on a thread of its own beside the journal's, so that
/// a round's fsync never waits for it. One job at a time; its writes are unsynced and small, and the last of
/// them moves the applied marks.
class applier {
 public:
  /// `when_done` gets a finished job back, on the applier's thread, when the next one may begin.
  using done_handler = std::function<void(std::vector<log_chunk>&& job)>;

  applier(store& to, std::size_t slice_rows, done_handler when_done);
  /// Finishes the job at hand.
  ~applier();
  applier(const applier&) = delete;
  applier& operator=(const applier&) = delete;

  /// False while a job is at work; then `job` is left alone.
  bool try_begin(std::vector<log_chunk>&& job);
  /// Until no job is at work, and all have been given back.
  void wait_until_idle();

 private:
  void run();
  void apply(const std::vector<log_chunk>& job);

  store& store_;
  const std::size_t slice_rows_;
  const done_handler when_done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<log_chunk> job_;  // guarded by mutex_
  bool is_busy_ = false;        // guarded by mutex_; with a job
  bool is_telling_ = false;     // guarded by mutex_; that one is done
  bool stopping_ = false;       // guarded by mutex_
  apply_buffer buffer_;         // the thread's own
  store_batch batch_;           // the thread's own
  std::thread thread_;
};

}  // namespace troupe
