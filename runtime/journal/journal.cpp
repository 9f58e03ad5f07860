#include "runtime/journal/journal.hpp"

#include <algorithm>
#include <iterator>

#include "runtime/base/assert.hpp"
#include "runtime/base/thread_name.hpp"

namespace troupe {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {
constexpr std::uint8_t frame_format = 1;
}  // namespace

void log_frame::add(shard_id shard, std::uint64_t first_index, std::string_view chunk) {
  byte_writer w{bytes_};
  if (bytes_.empty()) w.u8(frame_format);
  w.u16_be(shard);
  w.varint(first_index);
  w.sized(chunk);
}

bool log_frame::decode(std::string_view bytes, std::vector<part>& parts) {
  byte_reader in{bytes};
  if (in.u8() != frame_format) return false;
  while (in.ok() && !in.at_end()) {
    auto& one = parts.emplace_back();
    one.shard = in.u16_be();
    one.first_index = in.varint();
    one.chunk = in.sized();
  }
  return in.ok() && !parts.empty();
}

journal::journal(store& to, journal_listener& listener, journal_options options, const std::string& directory)
    : store_(to),
      index_(to.shard_count()),
      listener_(listener),
      options_(options),
      directory_(directory),
      mark_(directory, to.disk()),
      needed_from_(to.shard_count(), nothing_needed),
      tails_(to.shard_count()),
      batch_(to) {}

journal::~journal() { stop(); }

void journal::start() {
  TROUPE_ASSERT(!thread_.joinable(), "the journal was started twice");
  applier_ = std::make_unique<applier>(
      store_, options_.slice_rows, [this](std::vector<log_chunk>&& job) { finish_applied(std::move(job)); });
  // A life before has put it aside, or out of the way.
  store_.drop_other_sides(batch_);
  if (!batch_.empty()) store_.write(batch_, store::durability::buffered);
  batch_.clear();
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

void journal::write(log_write&& what) {
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    const bool is_first = incoming_.empty();
    incoming_awaited_ += what.awaited;
    incoming_.push_back(std::move(what));
    if (wake_at_awaited_ > 0) {
      const bool is_enough = incoming_awaited_ >= wake_at_awaited_;
      // The thread then sees what came and sleeps again, not so long.
      const bool sleeps_too_long = is_first && sleeps_until_ > steady_clock::now() + options_.unawaited_max;
      wake = is_enough || sleeps_too_long;
      if (wake) wake_at_awaited_ = 0;
    }
  }
  if (wake) wake_.notify_one();
}

void journal::commit(shard_id shard, std::uint64_t index, bool is_awaited) {
  {
    const std::lock_guard lock{mutex_};
    commits_.emplace_back(shard, index);
    // Mostly nobody waits, and while anything is unapplied the thread wakes by itself.
    if (!is_awaited) return;
    rows_are_awaited_ = true;
    wake_at_awaited_ = 0;
  }
  wake_.notify_one();
}

/// Sleeps until `until`, until so many awaited entries are there, or until append() wakes it. True when there
/// is reason for a round: one of the first two.
bool journal::sleep(std::unique_lock<std::mutex>& lock, std::size_t awaited, steady_clock::time_point until) {
  const auto is_due = [&] { return incoming_awaited_ >= awaited || stopping_ || rows_are_awaited_; };
  if (is_due()) return true;
  wake_at_awaited_ = awaited;
  sleeps_until_ = until;
  const auto is_woken = [&] { return is_due() || wake_at_awaited_ == 0; };
  bool timed_out = false;
  if (until == steady_clock::time_point::max()) {
    wake_.wait(lock, is_woken);
  } else {
    timed_out = !wake_.wait_until(lock, until, is_woken);
  }
  wake_at_awaited_ = 0;
  return timed_out || is_due();
}

void journal::wait_for_work(std::unique_lock<std::mutex>& lock) {
  auto until = steady_clock::time_point::max();
  if (unapplied_entries_ > 0) {
    until = oldest_unapplied_ + options_.apply_delay;
  } else if (mark_is_stale_) {
    until = next_mark_;
  }
  until = std::max(until, steady_clock::now() + milliseconds{1});
  const auto until_unawaited = [&] {
    return incoming_.empty() ? until : std::min(until, steady_clock::now() + options_.unawaited_max);
  };
  while (!sleep(lock, 1, until_unawaited())) continue;
  const auto now = steady_clock::now();
  const bool is_busy = now - last_round_ < milliseconds{1};
  if (is_busy && !incoming_.empty()) sleep(lock, options_.gather_entries, now + options_.gather_max);
}

void journal::run() {
  name_thread("troupe-journal");
  std::vector<log_write> incoming;
  std::deque<log_write> waiting;  // for a round of its own
  std::vector<std::pair<shard_id, std::uint64_t>> commits;
  for (bool is_last = false; !is_last;) {
    {
      std::unique_lock lock{mutex_};
      if (waiting.empty()) wait_for_work(lock);
      std::move(incoming_.begin(), incoming_.end(), std::back_inserter(waiting));
      incoming_.clear();
      incoming_awaited_ = 0;
      std::swap(commits, commits_);
      apply_at_once_ = std::exchange(rows_are_awaited_, false) || apply_at_once_;
      is_last = stopping_;
    }
    take_commits(commits);
    take_round(waiting, incoming);
    is_last = is_last && waiting.empty();
    round(incoming, is_last);
    if (!incoming.empty()) last_round_ = steady_clock::now();
    incoming.clear();
  }
}

/// Takes from the front what one round may write, whole chunks while they fit.
void journal::take_round(std::deque<log_write>& waiting, std::vector<log_write>& taken) const {
  const auto size_of = [](const log_write& w) { return w.bytes ? w.bytes->size() : 0; };
  std::size_t bytes = 0;
  while (!waiting.empty()) {
    const auto& front = waiting.front();
    if (!taken.empty() && bytes + size_of(front) > options_.round_bytes_max) return;
    const bool is_many = front.what == log_write::kind::entries && front.last_index > front.first_index;
    if (is_many && size_of(front) > options_.round_bytes_max) {
      auto parts = split_chunk(*front.bytes, options_.round_bytes_max);
      const auto whole = std::move(waiting.front());
      auto index = whole.last_index + 1;
      waiting.pop_front();
      for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
        auto one = whole;
        // The last of them stands for the whole.
        if (part != parts.rbegin()) one.number = 0;
        one.last_index = index - 1;
        one.first_index = index -= part->entries;
        one.bytes = std::make_shared<const std::string>(std::move(part->bytes));
        waiting.push_front(std::move(one));
      }
      if (parts.size() > 1) continue;
    }
    bytes += size_of(front);
    taken.push_back(std::move(waiting.front()));
    waiting.pop_front();
    // What comes behind it must find the shard on its other side.
    if (taken.back().what == log_write::kind::install) return;
  }
}

void journal::take_commits(std::vector<std::pair<shard_id, std::uint64_t>>& commits) {
  for (const auto& [shard, index] : commits) {
    auto& tail = tails_[shard];
    TROUPE_ASSERT(index <= tail.synced, "shard " + std::to_string(shard) + " committed entry " +
                                            std::to_string(index) + " but only " +
                                            std::to_string(tail.synced) + " is on disk");
    tail.committed = std::max(tail.committed, index);
    dirty_.push_back(shard);
  }
  commits.clear();
}

void journal::round(std::vector<log_write>& incoming, bool is_last) {
  const auto now = steady_clock::now();
  take_finished();
  give_images();
  lower_mark(incoming);
  prepare_installs(incoming);
  const auto frame = put_frame(incoming);
  if (!batch_.empty()) {
    store_.write(batch_, store::durability::buffered);
    batch_.clear();
  }
  if (!incoming.empty() || is_last) {
    // The write above does not wait for the disk, so that the applier's writes can pass during the fsync.
    const auto written = store_.sequence();
    store_.sync();
    synced_sequence_ = written;
    const auto took = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - now).count());
    const std::lock_guard lock{figures_mutex_};
    ++figures_.syncs;
    figures_.sync_us_sum += took;
    figures_.sync_us_max = std::max(figures_.sync_us_max, took);
  }
  make_readable(incoming, frame);
  report(incoming);
  if (!incoming.empty()) {
    if (unapplied_entries_ == 0) oldest_unapplied_ = now;
    mark_is_stale_ = true;
    keep(incoming, frame);
  }
  const bool is_due = unapplied_entries_ > 0 && (unapplied_entries_ >= options_.apply_entries_max ||
                                                 now - oldest_unapplied_ >= options_.apply_delay);
  if (is_last) applier_->wait_until_idle();
  if (is_due || apply_at_once_ || is_last) {
    // Set before it is asked: if it is busy, it finishes after that and sees it.
    await_applier(apply_at_once_);
    if (begin_apply()) await_applier(apply_at_once_ = false);
  }
  if (is_last) applier_.reset();
  write_mark(now, is_last);
}

/// Puts everything into the batch; gives the number of the frame that holds the entries, if there are any.
std::uint64_t journal::put_frame(const std::vector<log_write>& incoming) {
  log_frame frame;
  for (const auto& w : incoming) {
    if (w.what == log_write::kind::meta) {
      batch_.put_meta(w.shard, *w.bytes);
    } else if (w.what == log_write::kind::piece || w.what == log_write::kind::install) {
      put_snapshot(w, frame);
    } else {
      frame.add(w.shard, w.first_index, w.what == log_write::kind::entries ? *w.bytes : std::string_view{});
    }
  }
  if (frame.empty()) return 0;
  batch_.put_frame(next_frame_, frame.bytes());
  frames_.push_back({next_frame_, 0});
  log_sizes_.push_back({next_frame_, frame.bytes().size()});
  log_bytes_ += frame.bytes().size();
  const std::lock_guard lock{figures_mutex_};
  figures_.chunks += incoming.size();
  figures_.bytes += frame.bytes().size();
  return next_frame_++;
}

/// Tells each shard that took part how far its writes are on disk, once. Noted first: whoever finds less
/// after a kill knows that something is missing.
void journal::report(const std::vector<log_write>& incoming) {
  for (const auto& w : incoming) {
    auto& tail = tails_[w.shard];
    tail.synced_number = std::max(tail.synced_number, w.number);
    if (w.what == log_write::kind::entries) tail.synced = w.last_index;
    if (w.what == log_write::kind::truncation) tail.synced = w.first_index - 1;
    if (w.what == log_write::kind::install) tail.synced = w.last_index;
  }
  if (!incoming.empty()) mark_.note(synced());
  for (const auto& w : incoming) {
    if (w.number != 0 && tails_[w.shard].synced_number == w.number) listener_.on_synced(w.shard, w.number);
  }
}

/// What was written waits here until it is committed and applied.
void journal::keep(std::vector<log_write>& incoming, std::uint64_t frame) {
  for (auto& w : incoming) {
    if (w.what == log_write::kind::truncation) cut(w.shard, w.first_index);
    if (w.what == log_write::kind::install) finish_install(w);
    if (w.what != log_write::kind::entries) continue;
    unapplied_entries_ += w.last_index - w.first_index + 1;
    ++frames_.back().unapplied_chunks;
    tails_[w.shard].unapplied.push_back(
        {w.shard, w.first_index, w.last_index, std::move(w.bytes), frame, false});
  }
}

/// Forgets a shard's entries from that index on.
void journal::cut(shard_id shard, std::uint64_t first_index) {
  auto& tail = tails_[shard];
  TROUPE_ASSERT(first_index > tail.committed, "shard " + std::to_string(shard) + " cuts entry " +
                                                  std::to_string(first_index) + ", which is committed");
  while (!tail.unapplied.empty() && tail.unapplied.back().last_index >= first_index) {
    auto& last = tail.unapplied.back();
    const auto kept = first_index > last.first_index ? first_index - last.first_index : 0;
    unapplied_entries_ -= last.last_index - last.first_index + 1 - kept;
    if (kept > 0) {
      last.bytes = std::make_shared<const std::string>(chunk_prefix(*last.bytes, kept));
      last.last_index = first_index - 1;
      // A commit inside it waited for its end, which is here now.
      if (last.last_index <= tail.committed) dirty_.push_back(shard);
      return;
    }
    --frames_[last.frame - frames_.front().number].unapplied_chunks;
    tail.unapplied.pop_back();
  }
}

/// Whether this thread is to be woken when the applier is free again.
void journal::await_applier(bool is_awaited) {
  const std::lock_guard lock{mutex_};
  applier_is_awaited_ = is_awaited;
}

/// Hands all committed entries to the applier; false when it is still busy. Whole chunks only: a commit
/// inside a chunk waits for its end.
bool journal::begin_apply() {
  oldest_unapplied_ = steady_clock::now();
  std::sort(dirty_.begin(), dirty_.end());
  dirty_.erase(std::unique(dirty_.begin(), dirty_.end()), dirty_.end());
  for (const auto shard : dirty_) {
    auto& tail = tails_[shard];
    while (!tail.unapplied.empty() && tail.unapplied.front().last_index <= tail.committed) {
      ready_.push_back(std::move(tail.unapplied.front()));
      tail.unapplied.pop_front();
    }
  }
  dirty_.clear();
  if (ready_.empty()) return true;
  std::size_t entries = 0;
  for (const auto& one : ready_) entries += one.last_index - one.first_index + 1;
  if (!applier_->try_begin(std::move(ready_))) return false;
  ready_.clear();
  unapplied_entries_ -= entries;
  const std::lock_guard lock{figures_mutex_};
  figures_.applied_entries += entries;
  return true;
}

/// On the applier's thread.
void journal::finish_applied(std::vector<log_chunk>&& job) {
  std::unordered_map<shard_id, std::uint64_t> applied;
  for (const auto& one : job) applied[one.shard] = one.last_index;
  for (const auto& [shard, index] : applied) listener_.on_applied(shard, index);
  const std::lock_guard lock{mutex_};
  for (auto& one : job) {
    one.bytes.reset();
    finished_.push_back(std::move(one));
  }
  if (images_.empty() && !applier_is_awaited_) return;
  rows_are_awaited_ = true;
  wake_at_awaited_ = 0;
  wake_.notify_one();
}

void journal::take_finished() {
  std::vector<log_chunk> finished;
  {
    const std::lock_guard lock{mutex_};
    std::swap(finished, finished_);
  }
  for (const auto& one : finished) frames_[one.frame - frames_.front().number].unapplied_chunks -= 1;
  if (!finished.empty()) trim();
}

/// A log may end below its mark only when the disk has lost something, so before entries go the mark does.
void journal::lower_mark(const std::vector<log_write>& incoming) {
  bool is_lower = false;
  for (const auto& w : incoming) {
    auto& synced = tails_[w.shard].synced;
    if (w.what != log_write::kind::truncation || w.first_index > synced) continue;
    synced = w.first_index - 1;
    is_lower = true;
  }
  if (!is_lower) return;
  mark_is_stale_ = true;
  next_mark_ = {};
  write_mark(steady_clock::now(), false);
}

synced_state journal::synced() const {
  synced_state out;
  out.ends.reserve(tails_.size());
  for (const auto& tail : tails_) out.ends.push_back(tail.synced);
  out.sequence = synced_sequence_;
  return out;
}

void journal::write_mark(steady_clock::time_point now, bool is_last) {
  if (!mark_is_stale_ || (now < next_mark_ && !is_last)) return;
  mark_.write(synced());
  mark_is_stale_ = false;
  next_mark_ = now + options_.mark_interval;
}

journal_figures journal::figures() const {
  const std::lock_guard lock{figures_mutex_};
  return figures_;
}

}  // namespace troupe
