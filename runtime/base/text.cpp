#include "runtime/base/text.hpp"

#include <algorithm>
#include <array>

namespace troupe {
namespace {

using namespace std::string_view_literals;

// Unicode's White_Space, and the zero-width space and byte order mark that look like nothing as well.
constexpr std::array blanks{"\t"sv,           "\n"sv,           "\v"sv,
                            "\f"sv,           "\r"sv,           " "sv,
                            "\xc2\x85"sv,     "\xc2\xa0"sv,     "\xe1\x9a\x80"sv,
                            "\xe2\x80\x80"sv, "\xe2\x80\x81"sv, "\xe2\x80\x82"sv,
                            "\xe2\x80\x83"sv, "\xe2\x80\x84"sv, "\xe2\x80\x85"sv,
                            "\xe2\x80\x86"sv, "\xe2\x80\x87"sv, "\xe2\x80\x88"sv,
                            "\xe2\x80\x89"sv, "\xe2\x80\x8a"sv, "\xe2\x80\x8b"sv,
                            "\xe2\x80\xa8"sv, "\xe2\x80\xa9"sv, "\xe2\x80\xaf"sv,
                            "\xe2\x81\x9f"sv, "\xe3\x80\x80"sv, "\xef\xbb\xbf"sv};

}  // namespace

bool is_blank(std::string_view utf8) {
  while (!utf8.empty()) {
    const auto* blank = std::find_if(blanks.begin(), blanks.end(),
                                     [&](std::string_view one) { return utf8.starts_with(one); });
    if (blank == blanks.end()) return false;
    utf8.remove_prefix(blank->size());
  }
  return true;
}

}  // namespace troupe
