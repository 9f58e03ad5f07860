#include "runtime/journal/journal.hpp"

#include <algorithm>

#include "runtime/base/assert.hpp"

namespace troupe {

using std::chrono::steady_clock;

journal::journal(store& to, journal_listener& listener, journal_options options, const std::string& directory)
    : store_(to),
      listener_(listener),
      options_(options),
      directory_(directory),
      mark_(directory),
      tails_(to.shard_count()),
      buffer_(to.shard_count()) {}

journal::~journal() { stop(); }

void journal::start() {
  TROUPE_ASSERT(!thread_.joinable(), "the journal was started twice");
  thread_ = std::thread{[this] { run(); }};
}

void journal::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void journal::append(shard_id shard, std::uint64_t first_index, std::uint64_t last_index, std::string chunk) {
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    incoming_.push_back({shard, first_index, last_index, std::move(chunk)});
    wake = std::exchange(asleep_, false);
  }
  if (wake) wake_.notify_one();
}

void journal::commit(shard_id shard, std::uint64_t index) {
  // No wake-up: applying is never urgent, and while anything is unapplied the thread wakes by itself.
  const std::lock_guard lock{mutex_};
  commits_.emplace_back(shard, index);
}

bool journal::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto has_work = [this] { return !incoming_.empty() || stopping_; };
  if (has_work()) return true;
  if (unapplied_entries_ == 0 && !mark_is_stale_) {
    asleep_ = true;
    wake_.wait(lock, has_work);
  } else {
    const auto until = unapplied_entries_ > 0 ? oldest_unapplied_ + options_.apply_delay : next_mark_;
    asleep_ = true;
    wake_.wait_until(lock, std::max(until, steady_clock::now() + std::chrono::milliseconds{1}), has_work);
  }
  asleep_ = false;
  return true;
}

void journal::run() {
  std::vector<appended> incoming;
  std::vector<std::pair<shard_id, std::uint64_t>> commits;
  for (;;) {
    bool is_last = false;
    {
      std::unique_lock lock{mutex_};
      wait_for_work(lock);
      std::swap(incoming, incoming_);
      std::swap(commits, commits_);
      is_last = stopping_;
    }
    for (const auto& [shard, index] : commits) {
      auto& tail = tails_[shard];
      TROUPE_ASSERT(index <= tail.synced, "a shard committed what is not on disk");
      tail.committed = std::max(tail.committed, index);
      dirty_.push_back(shard);
    }
    commits.clear();
    round(incoming, is_last);
    incoming.clear();
    if (is_last) return;
  }
}

void journal::round(std::vector<appended>& incoming, bool is_last) {
  const auto now = steady_clock::now();
  std::size_t bytes = 0;
  for (const auto& a : incoming) {
    batch_.put_log(a.shard, a.first_index, a.chunk);
    bytes += a.chunk.size();
  }
  const bool apply_is_due =
      unapplied_entries_ > 0 && (is_last || unapplied_entries_ >= options_.apply_entries_max ||
                                 now - oldest_unapplied_ >= options_.apply_delay);
  if (apply_is_due) gather_applied();

  if (!batch_.empty()) {
    const bool sync = !incoming.empty() || is_last;
    store_.write(batch_, sync ? store::durability::synced : store::durability::buffered);
    batch_.clear();
    const auto took = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - now).count());
    const std::lock_guard lock{figures_mutex_};
    if (sync) {
      ++figures_.syncs;
      figures_.sync_us_sum += took;
      figures_.sync_us_max = std::max(figures_.sync_us_max, took);
    }
    figures_.chunks += incoming.size();
    figures_.bytes += bytes;
  }

  for (const auto& a : incoming) tails_[a.shard].synced = a.last_index;
  // One notice a shard, with its last index: the vector is in append order.
  for (std::size_t i = 0; i < incoming.size(); ++i) {
    if (tails_[incoming[i].shard].synced == incoming[i].last_index) {
      listener_.on_synced(incoming[i].shard, incoming[i].last_index);
    }
  }
  for (const auto& [shard, index] : just_applied_) listener_.on_applied(shard, index);
  just_applied_.clear();

  if (!incoming.empty()) {
    if (unapplied_entries_ == 0) oldest_unapplied_ = now;
    mark_is_stale_ = true;
  }
  for (auto& a : incoming) {
    auto& tail = tails_[a.shard];
    unapplied_entries_ += a.last_index - a.first_index + 1;
    tail.kept.emplace_back(a.first_index, a.last_index);
    tail.kept_bytes += a.chunk.size();
    tail.unapplied.push_back(std::move(a));
  }
  write_mark(now);
}

/// Puts the rows of all committed entries into the batch.
void journal::gather_applied() {
  std::sort(dirty_.begin(), dirty_.end());
  dirty_.erase(std::unique(dirty_.begin(), dirty_.end()), dirty_.end());
  std::vector<appended> spent;  // the buffer holds views into these until it is flushed
  std::size_t applied = 0;
  for (const auto shard : dirty_) {
    auto& tail = tails_[shard];
    // Whole chunks only: a commit inside a chunk waits for its end.
    while (!tail.unapplied.empty() && tail.unapplied.front().last_index <= tail.committed) {
      auto& front = spent.emplace_back(std::move(tail.unapplied.front()));
      tail.unapplied.pop_front();
      chunk_view chunk;
      TROUPE_ASSERT(decode_chunk(shard, front.first_index, front.chunk, chunk), "a chunk changed in memory");
      auto index = chunk.first_index;
      for (const auto entry : chunk.entries) buffer_.add(shard, index++, chunk.epoch, entry);
      tail.applied = front.last_index;
      applied += chunk.entries.size();
    }
    if (just_applied_.empty() || just_applied_.back().first != shard)
      just_applied_.emplace_back(shard, tail.applied);
    trim(batch_, tail, shard);
  }
  dirty_.clear();
  buffer_.flush_into(batch_);
  unapplied_entries_ -= applied;
  oldest_unapplied_ = steady_clock::now();
  const std::lock_guard lock{figures_mutex_};
  figures_.applied_entries += applied;
}

/// Drops the log of applied entries, in large steps. Applied rows and the drop are one atomic write, so there
/// is no moment in which an entry is in neither.
void journal::trim(store_batch& batch, shard_tail& tail, shard_id shard) {
  if (tail.kept_bytes < options_.trim_bytes) return;
  while (!tail.kept.empty() && tail.kept.front().second <= tail.applied) tail.kept.pop_front();
  const auto keep_from = tail.kept.empty() ? tail.applied + 1 : tail.kept.front().first;
  batch.drop_log(shard, tail.kept_from, keep_from);
  tail.kept_from = keep_from;
  tail.kept_bytes = 0;
}

void journal::write_mark(steady_clock::time_point now) {
  if (!mark_is_stale_ || now < next_mark_) return;
  std::vector<std::uint64_t> synced;
  synced.reserve(tails_.size());
  for (const auto& tail : tails_) synced.push_back(tail.synced);
  mark_.write(synced);
  mark_is_stale_ = false;
  next_mark_ = now + options_.mark_interval;
}

journal_figures journal::figures() const {
  const std::lock_guard lock{figures_mutex_};
  return figures_;
}

}  // namespace troupe
