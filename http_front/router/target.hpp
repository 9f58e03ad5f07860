#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe::http {

inline constexpr std::size_t path_bytes_max = 2048;
inline constexpr std::size_t query_bytes_max = 4096;
inline constexpr std::size_t query_values_max = 32;

/// A request target in its two parts, still encoded.
struct target_parts {
  std::string_view path;
  std::string_view query;
};

enum class target_fault { none, malformed, too_long };

/// Takes origin form (`/a?b`) and absolute form (`http://host/a?b`).
target_fault split_target(std::string_view target, target_parts& parts);

/// Percent-decodes, and refuses bad escapes, control characters and what is not UTF-8.
enum class plus { is_plus, is_space };
[[nodiscard]] bool percent_decode(std::string_view text, plus rule, std::string& out);

/// `a=1&b=2` into decoded pairs, in order. False when it is malformed or has too many values.
[[nodiscard]] bool parse_query(std::string_view query, std::vector<std::pair<std::string, std::string>>& out);

/// Appends text that is safe between the `<` and `>` of a Link header.
void append_link_text(std::string& out, std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace troupe::http
