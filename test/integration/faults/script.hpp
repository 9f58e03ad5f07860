#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "runtime/journal/entry.hpp"

namespace troupe::faults {

/// What a store must answer: its rows by their full keys, and its replies.
struct expected_state {
  std::map<std::string, std::string> rows;
  std::map<std::pair<shard_id, std::string>, std::string> replies;
};

/// A fixed history of each shard, made from a seed: entries of every cause with rows, replies, outbox
/// messages, receipts and timers that come and go. Entry `index` of a shard is the same in every life,
/// whatever was lost before, so that a life goes on wherever the log ends.
class script {
 public:
  static constexpr std::uint16_t shards = 4;
  script(std::uint32_t seed, std::uint64_t entries_per_shard);

  std::uint64_t length() const { return length_; }
  /// The encoded entry; indexes begin at 1.
  const std::string& entry(shard_id shard, std::uint64_t index) const;
  const std::string& command_id(shard_id shard, std::uint64_t index) const;
  /// Another entry at that place, as another primary would have made it in that epoch: to be cut off again.
  /// Its rows and its reply are none of the history's.
  std::string stray(shard_id shard, std::uint64_t index, std::uint64_t epoch) const;
  /// The effect of each shard's entries up to that index, one after the other.
  expected_state fold(const std::vector<std::uint64_t>& ends) const;

 private:
  struct row_change {
    std::string key;
    std::optional<std::string> value;
  };
  struct scripted_entry {
    std::string bytes;
    std::vector<row_change> rows;
    std::string command_id;  // empty: none
    std::string reply;
  };
  class author;

  std::uint64_t length_;
  std::vector<std::vector<scripted_entry>> entries_;  // by shard
};

}  // namespace troupe::faults
