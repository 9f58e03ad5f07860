#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/transport/wire.hpp"

/// Words that are longer than a message may be travel in parts, one directly behind the other: a connection
/// keeps their order. [word u8][is the last u8][bytes]
namespace troupe::wire {

inline constexpr std::size_t part_overhead = 2;
/// What is put together again may be this long: more than the longest entry.
inline constexpr std::size_t parted_bytes_max = 32U << 20U;

inline void append_part(std::string& out, word kind, bool is_last, std::string_view bytes) {
  std::string part;
  part.reserve(bytes.size() + part_overhead);
  part.push_back(static_cast<char>(kind));
  part.push_back(is_last ? '\1' : '\0');
  part.append(bytes);
  append_word(out, word::part, part);
}

/// Of one connection: the word whose parts are coming in.
class assembly {
 public:
  struct whole {
    word kind{};
    std::string bytes;
  };
  /// False: this is no part, or none of the word that was begun; what came of that is given up.
  [[nodiscard]] bool take(std::string_view part, std::optional<whole>& done) {
    const auto kind = part.size() < part_overhead ? word::part : static_cast<word>(part[0]);
    const bool is_word = kind >= word::replication && kind < word::part;
    const bool is_flag = part.size() >= part_overhead && (part[1] == '\0' || part[1] == '\1');
    const bool fits = !begun_ || begun_->kind == kind;
    if (!is_word || !is_flag || !fits || size() + part.size() - part_overhead > parted_bytes_max) {
      begun_.reset();
      return false;
    }
    if (!begun_) begun_ = whole{kind, {}};
    begun_->bytes.append(part.substr(part_overhead));
    if (part[1] == '\1') done = std::exchange(begun_, std::nullopt);
    return true;
  }
  /// The parts of a word have nothing between them.
  bool is_empty() const { return !begun_; }
  void clear() { begun_.reset(); }

 private:
  std::size_t size() const { return begun_ ? begun_->bytes.size() : 0; }
  std::optional<whole> begun_;
};

}  // namespace troupe::wire
