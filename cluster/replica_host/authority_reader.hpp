#pragma once

#include <functional>
#include <memory>

#include "cluster/authority/authority.hpp"

namespace troupe {

/// Reads the authority for all shards of a node: those that ask while a read is under way share the next one.
/// (Not the one under way, which may be older than what made them ask.) The authority outlives it, and what
/// comes afterwards is dropped. Any thread.
class authority_reader {
 public:
  explicit authority_reader(authority& from);
  ~authority_reader();
  authority_reader(const authority_reader&) = delete;
  authority_reader& operator=(const authority_reader&) = delete;

  /// `done` is called on the authority's thread with what it holds of the shard; not at all when it could not
  /// be reached or holds nothing. Who still wants to know asks again.
  void read(shard_id shard, std::function<void(const stored_config&)> done);

 private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

}  // namespace troupe
