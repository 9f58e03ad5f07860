#pragma once

#include <cstddef>
#include <string>

namespace troupe::test {

/// Shows `visit` the bytes with each single bit changed, one after the other.
template <class Visit>
void for_each_flipped_bit(const std::string& good, const Visit& visit) {
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    visit(damaged, bit);
  }
}

/// Shows `visit` every beginning of the bytes that is not all of them, from `shortest` on.
template <class Visit>
void for_each_cut(const std::string& good, const Visit& visit, std::size_t shortest = 0) {
  for (std::size_t length = shortest; length < good.size(); ++length) visit(good.substr(0, length), length);
}

}  // namespace troupe::test
