#include "http_front/router/target.hpp"

#include <algorithm>
#include <cstdint>

namespace troupe::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_plain(char c) { return c > 0x20 && c < 0x7f; }

/// How many bytes follow a first byte, and the lowest code point that may be written with that many.
bool lead(std::uint8_t byte, std::size_t& more, std::uint32_t& point, std::uint32_t& lowest) {
  if (byte >= 0xc2 && byte <= 0xdf) {
    more = 1, point = byte & 0x1fU, lowest = 0x80;
  } else if (byte >= 0xe0 && byte <= 0xef) {
    more = 2, point = byte & 0x0fU, lowest = 0x800;
  } else if (byte >= 0xf0 && byte <= 0xf4) {
    more = 3, point = byte & 0x07U, lowest = 0x10000;
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<std::uint8_t>(text[i++]);
    if (byte < 0x80) continue;
    std::size_t more = 0;
    std::uint32_t point = 0;
    std::uint32_t lowest = 0;
    if (!lead(byte, more, point, lowest) || text.size() - i < more) return false;
    for (; more > 0; --more) {
      const auto next = static_cast<std::uint8_t>(text[i++]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3fU);
    }
    if (point < lowest || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
  }
  return true;
}

target_fault split_target(std::string_view target, target_parts& parts) {
  if (target.starts_with("http://") || target.starts_with("https://")) {
    const auto path_at = target.find('/', target.find("//") + 2);
    target = path_at == std::string_view::npos ? std::string_view{"/"} : target.substr(path_at);
  }
  const auto query_at = target.find('?');
  parts.path = target.substr(0, query_at);
  parts.query = query_at == std::string_view::npos ? std::string_view{} : target.substr(query_at + 1);
  if (parts.path.size() > path_bytes_max || parts.query.size() > query_bytes_max)
    return target_fault::too_long;
  if (parts.path.empty() || parts.path.front() != '/') return target_fault::malformed;
  return std::all_of(target.begin(), target.end(), is_plain) ? target_fault::none : target_fault::malformed;
}

bool percent_decode(std::string_view text, plus rule, std::string& out) {
  out.clear();
  bool decoded = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && rule == plus::is_space) {
      c = ' ';
    } else if (c == '%') {
      if (text.size() - i < 3) return false;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      const int value = high * 16 + low;
      if (value < 0x20 || value == 0x7f) return false;
      c = static_cast<char>(value);
      i += 2;
      decoded = true;
    }
    out.push_back(c);
  }
  return !decoded || is_utf8(out);
}

bool parse_query(std::string_view query, std::vector<std::pair<std::string, std::string>>& out) {
  out.clear();
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    if (out.size() == query_values_max) return false;
    auto& [name, value] = out.emplace_back();
    const auto equals = pair.find('=');
    const auto raw = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    if (!percent_decode(pair.substr(0, equals), plus::is_space, name)) return false;
    if (!percent_decode(raw, plus::is_space, value)) return false;
  }
  return true;
}

void append_link_text(std::string& out, std::string_view text) {
  constexpr std::string_view unsafe = "<>\"\\^`{|}";
  constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (is_plain(c) && unsafe.find(c) == std::string_view::npos) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
  }
}

}  // namespace troupe::http
