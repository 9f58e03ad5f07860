#include "test/simulation/disk.hpp"

#include <algorithm>

#include "runtime/base/hash.hpp"
#include "test/simulation/random.hpp"

namespace troupe::simulation {

std::uint64_t chain_of(std::uint64_t before, std::uint64_t epoch, const stock_entry& entry) {
  return stable_hash({reinterpret_cast<const char*>(&entry), sizeof entry}, mix(before, epoch));
}

std::uint64_t shard_image::chain_at(std::uint64_t index) const {
  if (index >= start && index <= last()) return log[index - start].chain;
  if (index == 0) return 1;
  return snapshot && snapshot->index == index ? snapshot->chain : 0;
}

void shard_image::apply(const disk_change& change) {
  if (const auto* put = std::get_if<put_entries>(&change.what)) {
    const auto& entries = put->entries;
    auto chain = chain_at(entries.first - 1);
    for (auto index = entries.first; index <= entries.last; ++index) {
      const auto entry = entries.bytes ? entry_in(*entries.bytes, index - entries.first) : stock_entry{};
      chain = chain_of(chain, entries.epoch, entry);
      log.push_back({entries.epoch, chain, entry, false});
    }
  } else if (const auto* cut = std::get_if<cut_entries>(&change.what)) {
    log.resize(cut->last + 1 - start);
  } else if (const auto* put_m = std::get_if<put_meta>(&change.what)) {
    meta = put_m->meta;
  } else if (const auto* stage = std::get_if<put_stage>(&change.what)) {
    if (stage->offset == 0) {
      staged.clear();
      stage_is_damaged = false;
    }
    staged_index = stage->index;
    staged += *stage->bytes;
  } else if (const auto* put_c = std::get_if<put_committed>(&change.what)) {
    committed = put_c->index;
  } else {
    const auto& put_s = std::get<put_snapshot>(change.what);
    if (put_s.replaces_log) {
      log.clear();
      staged.clear();
    } else {
      log.erase(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(put_s.image->index + 1 - start));
    }
    start = put_s.image->index + 1;
    snapshot = put_s.image;
  }
}

replication::log_shape shard_image::shape() const {
  epoch_history history = snapshot ? snapshot->history : epoch_history{};
  for (std::size_t i = 0; i < log.size(); ++i)
    if (history.empty() || history.back().epoch < log[i].epoch) history.push_back({log[i].epoch, start + i});
  return {start, last(), std::move(history)};
}

void node_disk::write(disk_change&& change) {
  written[change.shard].apply(change);
  unsynced.push_back(std::move(change));
}

void node_disk::sync(std::size_t count) {
  for (; count > 0; --count) {
    synced[unsynced.front().shard].apply(unsynced.front());
    unsynced.pop_front();
  }
}

void node_disk::crash(std::size_t kept) {
  sync(std::min(kept, unsynced.size()));
  unsynced.clear();
  syncing = reported = 0;
  is_stuck = false;
  for (auto& image : synced) {
    image.staged.clear();
    image.staged_index = 0;
    image.stage_is_damaged = false;
  }
  written = synced;
}

}  // namespace troupe::simulation
