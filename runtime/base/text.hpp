#pragma once

#include <cstddef>
#include <string_view>

namespace troupe {

/// Code points of a UTF-8 text: its length as a person counts it, near enough.
inline std::size_t count_characters(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

/// Whether a UTF-8 text holds nothing but white space and marks of no width.
bool is_blank(std::string_view utf8);

}  // namespace troupe
