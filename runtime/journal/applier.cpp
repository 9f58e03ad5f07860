#include "runtime/journal/applier.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/base/thread_name.hpp"

namespace troupe {

applier::applier(store& to, std::size_t slice_rows, done_handler when_done)
    : store_(to),
      slice_rows_(slice_rows),
      when_done_(std::move(when_done)),
      buffer_(to.shard_count(), apply_buffer::mode::running),
      batch_(to),
      thread_([this] { run(); }) {}

applier::~applier() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool applier::try_begin(std::vector<log_chunk>&& job) {
  {
    const std::lock_guard lock{mutex_};
    if (is_busy_) return false;
    job_ = std::move(job);
    is_busy_ = true;
  }
  changed_.notify_all();
  return true;
}

void applier::wait_until_idle() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return !is_busy_ && !is_telling_; });
}

void applier::run() {
  name_thread("troupe-applier");
  for (;;) {
    std::vector<log_chunk> job;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return is_busy_ || stopping_; });
      if (!is_busy_) return;
      job = std::move(job_);
    }
    apply(job);
    {
      const std::lock_guard lock{mutex_};
      is_busy_ = false;
      is_telling_ = true;
    }
    when_done_(std::move(job));
    {
      const std::lock_guard lock{mutex_};
      is_telling_ = false;
    }
    changed_.notify_all();
  }
}

void applier::apply(const std::vector<log_chunk>& job) {
  const bool is_replay =
      std::any_of(job.begin(), job.end(), [](const auto& one) { return one.is_recovered; });
  buffer_.set_mode(is_replay ? apply_buffer::mode::replaying : apply_buffer::mode::running);
  chunk_view chunk;
  for (const auto& one : job) {
    TROUPE_ASSERT(decode_chunk(one.shard, one.first_index, *one.bytes, chunk), "a chunk changed in memory");
    if (chunk.previous_epoch != chunk.epoch) buffer_.begin_epoch(one.shard, {chunk.epoch, chunk.first_index});
    auto index = chunk.first_index;
    for (const auto entry : chunk.entries) buffer_.add(one.shard, index++, chunk.epoch, entry);
  }
  buffer_.begin_flush();
  // The last chunk of each shard wins; they are in the order of the log.
  for (const auto& one : job) batch_.put_applying(one.shard, one.last_index);
  for (bool is_last = false; !is_last;) {
    is_last = buffer_.write_slice(batch_, slice_rows_);
    store_.write(batch_, store::durability::buffered);
    batch_.clear();
  }
}

}  // namespace troupe
