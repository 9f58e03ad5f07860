#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/shard_id.hpp"

namespace troupe {

/// Where in the store a shard's rows and replies are: a shard has two sides, which differ in the highest bit
/// of their keys, and one of them is the shard. The other is where a snapshot is put aside; installing it is
/// to make that side the shard. Keys in everybody else's hands are those of the first side. Any thread may
/// ask; flip() is for who writes.
class shard_sides {
 public:
  /// With more shards there is no bit left, and no snapshot can be put aside.
  static constexpr std::uint16_t shards_max = 0x7fff;

  explicit shard_sides(std::uint16_t shard_count) : is_second_(shard_count) {}

  bool is_second(shard_id shard) const { return is_second_[shard].load(std::memory_order_acquire); }
  void flip(shard_id shard) { is_second_[shard].store(!is_second(shard), std::memory_order_release); }

  /// The key as it is stored, in `scratch` when it is another one.
  std::string_view on_disk(std::string_view key, std::string& scratch) const {
    return is_shard(key) && is_second(shard_in(key)) ? other_bit(key, scratch) : key;
  }
  /// The key on the side that is put aside.
  std::string_view aside(std::string_view key, std::string& scratch) const {
    return is_second(shard_in(key)) ? key : other_bit(key, scratch);
  }
  static std::string_view other_bit(std::string_view key, std::string& scratch) {
    scratch = key;
    scratch[0] = static_cast<char>(scratch[0] ^ '\x80');
    return scratch;
  }

  static shard_id shard_in(std::string_view key) {
    return static_cast<shard_id>((static_cast<std::uint8_t>(key[0]) << 8U) |
                                 static_cast<std::uint8_t>(key[1]));
  }

 private:
  bool is_shard(std::string_view key) const { return key.size() >= 2 && shard_in(key) < is_second_.size(); }

  std::vector<std::atomic<bool>> is_second_;
};

}  // namespace troupe
