#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {

/// Places for what waits for a reply, each named by a ticket: [generation][slot, 32 bits]. A place that is
/// given back gets a new name, so a late reply does not reach its next user; so does one that is asked for
/// again. One thread.
template <class T, unsigned generation_bits = 32>
class pending_slots {
 public:
  std::uint32_t take() {
    ++used_;
    if (!free_.empty()) {
      const auto slot = free_.back();
      free_.pop_back();
      return slot;
    }
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  /// Empties the place and gives what was in it.
  T give_back(std::uint32_t slot) {
    rename(slot);
    free_.push_back(slot);
    --used_;
    return std::exchange(slots_[slot].what, T{});
  }
  /// What goes by the name it had so far does not reach it any more.
  void rename(std::uint32_t slot) {
    auto& generation = slots_[slot].generation;
    generation = (generation + 1) & generations;
  }
  T& operator[](std::uint32_t slot) { return slots_[slot].what; }
  std::uint64_t ticket_of(std::uint32_t slot) const {
    return static_cast<std::uint64_t>(slots_[slot].generation) << 32U | slot;
  }
  /// The place that has this name now; also one that nobody uses may.
  std::optional<std::uint32_t> find(std::uint64_t ticket) const {
    const auto slot = static_cast<std::uint32_t>(ticket);
    if (slot >= slots_.size() || ticket_of(slot) != ticket) return std::nullopt;
    return slot;
  }
  /// Places that there are, used or not.
  std::uint32_t size() const { return static_cast<std::uint32_t>(slots_.size()); }
  std::size_t used() const { return used_; }

 private:
  static_assert(generation_bits >= 1 && generation_bits <= 32);
  static constexpr std::uint32_t generations = ~std::uint32_t{0} >> (32 - generation_bits);
  struct place {
    T what;
    std::uint32_t generation = 0;
  };
  std::vector<place> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t used_ = 0;
};

}  // namespace troupe
