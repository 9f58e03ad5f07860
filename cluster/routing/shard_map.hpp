#pragma once

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "cluster/authority/authority.hpp"

namespace troupe {

/// What this process knows of who runs which shard: never newer than the authority, mostly as new. It only
/// says where to ask; whoever is asked knows better. Any thread.
class shard_map {
 public:
  explicit shard_map(std::uint16_t shard_count) : primaries_(shard_count), configs_(shard_count) {
    for (shard_id id = 0; id < shard_count; ++id) configs_[id].shard = id;
  }

  std::uint16_t shard_count() const { return static_cast<std::uint16_t>(primaries_.size()); }
  /// none: not known, or there is no such shard.
  node_id primary_of(shard_id shard) const {
    return shard < primaries_.size() ? primaries_[shard].load(std::memory_order_acquire) : node_id::none;
  }
  /// True when another node is the primary now. What is older than what is known changes nothing.
  bool learn(const stored_config& now) {
    if (now.shard >= primaries_.size() || now.revision == 0) return false;
    const std::lock_guard lock{mutex_};
    auto& known = configs_[now.shard];
    if (now.revision <= known.revision) return false;
    known = now;
    const auto primary = now.config.primary.node;
    return primaries_[now.shard].exchange(primary, std::memory_order_acq_rel) != primary;
  }
  /// Every shard has a config.
  bool is_founded() const {
    const std::lock_guard lock{mutex_};
    return std::all_of(configs_.begin(), configs_.end(), [](const auto& one) { return one.revision != 0; });
  }
  /// Revision 0: nothing is known, or there is no such shard.
  stored_config of(shard_id shard) const {
    const std::lock_guard lock{mutex_};
    return shard < configs_.size() ? configs_[shard] : stored_config{};
  }
  /// By shard; revision 0 where nothing is known.
  std::vector<stored_config> all() const {
    const std::lock_guard lock{mutex_};
    return configs_;
  }

 private:
  std::vector<std::atomic<node_id>> primaries_;
  mutable std::mutex mutex_;
  std::vector<stored_config> configs_;  // guarded by mutex_
};

}  // namespace troupe
