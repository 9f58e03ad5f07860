// Snapshots that the journal gives and takes: everything here is on its thread, and between two jobs of the
// applier where a shard must stand still.
#include <algorithm>

#include "runtime/base/assert.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/store/shard_sides.hpp"

namespace troupe {

void journal::take_image(shard_id shard, image_handler done) {
  {
    const std::lock_guard lock{mutex_};
    images_.emplace_back(shard, std::move(done));
    rows_are_awaited_ = true;
    wake_at_awaited_ = 0;
  }
  wake_.notify_one();
}

void journal::give_images() {
  std::vector<std::pair<shard_id, image_handler>> asked;
  {
    const std::lock_guard lock{mutex_};
    std::swap(asked, images_);
  }
  if (asked.empty()) return;
  // Rows are written in slices, the marks with the last; in between they are the state after no entry.
  applier_->wait_until_idle();
  for (auto& [shard, done] : asked) {
    // A life before may have ended between two slices: of what it had begun, and of nothing behind that. An
    // entry that is not committed yet must not be waited for, since its commit may wait for this very image.
    const auto begun = store_.applying(shard);
    const auto is_left = [begun](const auto& chunks, shard_id of) {
      return std::any_of(chunks.begin(), chunks.end(), [=](const log_chunk& c) {
        return c.shard == of && c.is_recovered && (!begun || c.first_index <= *begun);
      });
    };
    if (!is_left(tails_[shard].unapplied, shard) && !is_left(ready_, shard)) {
      done(std::make_unique<shard_image>(store_, shard));
      continue;
    }
    const std::lock_guard lock{mutex_};
    images_.emplace_back(shard, std::move(done));
  }
}

/// The applier must have nothing of a shard that is about to become another one.
void journal::prepare_installs(const std::vector<log_write>& incoming) {
  for (const auto& w : incoming) {
    if (w.what != log_write::kind::install) continue;
    applier_->wait_until_idle();
    forget_unapplied(w.shard);
  }
}

void journal::put_snapshot(const log_write& w, log_frame& frame) {
  auto& stage = tails_[w.shard].stage;
  if (w.what == log_write::kind::piece) {
    TROUPE_ASSERT(store_.shard_count() <= shard_sides::shards_max, "too many shards for snapshots");
    // Each was looked at when it arrived (is_snapshot_piece); one that does not follow is found again when
    // the snapshot is installed.
    static_cast<void>(stage.put_aside(w.shard, w.last_index, w.first_index, *w.bytes, batch_));
    return;
  }
  TROUPE_ASSERT(stage.is_ready(w.last_index), "shard " + std::to_string(w.shard) +
                                                  ": what was put aside is not " + "the state after entry " +
                                                  std::to_string(w.last_index));
  stage.install_into(w.shard, batch_);
  frame.add(w.shard, w.last_index + 1, log_frame::log_begins);
}

void journal::finish_install(const log_write& w) {
  forget_unapplied(w.shard);  // what came in the same round, before it
  tails_[w.shard].committed = w.last_index;
  batch_.drop_other_side(w.shard);
  listener_.on_applied(w.shard, w.last_index);
}

void journal::forget_unapplied(shard_id shard) {
  const auto forget = [this](const log_chunk& chunk) {
    unapplied_entries_ -= chunk.last_index - chunk.first_index + 1;
    --frames_[chunk.frame - frames_.front().number].unapplied_chunks;
  };
  for (const auto& chunk : tails_[shard].unapplied) forget(chunk);
  tails_[shard].unapplied.clear();
  for (const auto& chunk : ready_)
    if (chunk.shard == shard) forget(chunk);
  std::erase_if(ready_, [shard](const log_chunk& chunk) { return chunk.shard == shard; });
}

}  // namespace troupe
