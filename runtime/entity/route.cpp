#include "runtime/entity/route.hpp"

#include <algorithm>
#include <charconv>

#include "runtime/base/hash.hpp"

namespace troupe {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t cursor_chars_max = 400;
constexpr std::size_t cursor_check_bytes = 4;
constexpr std::uint64_t limit_max = 100;

}  // namespace

std::string encode_cursor(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<std::uint8_t>(c);
    for (held += 8; held >= 6; held -= 6) out.push_back(alphabet[(bits >> (held - 6)) & 63]);
  }
  if (held > 0) out.push_back(alphabet[(bits << (6 - held)) & 63]);
  return out;
}

std::optional<std::string> decode_cursor(std::string_view text) {
  if (text.empty() || text.size() > cursor_chars_max || text.size() % 4 == 1) return std::nullopt;
  std::string out;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<char>(bits >> held));
    }
  }
  return out;
}

std::uint64_t route_request::list_hash() const {
  auto hash = stable_hash(who.user.view(), stable_hash(list));
  for (const auto& [name, value] : path) hash = stable_hash(value, hash);
  for (const auto& [name, value] : query) {
    // Added up: a client may send them in any order.
    if (name != "limit" && name != "cursor") hash += stable_hash(value, stable_hash(name));
  }
  return hash;
}

std::string route_request::seal_cursor(std::string_view row_key) const {
  std::string bytes{row_key};
  auto check = stable_hash(row_key, list_hash());
  for (std::size_t i = 0; i < cursor_check_bytes; ++i, check >>= 8) bytes.push_back(static_cast<char>(check));
  return encode_cursor(bytes);
}

page_request route_request::page() {
  page_request page;
  if (const auto* text = query_value("limit")) {
    const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), page.limit);
    const bool whole = fault == std::errc{} && end == text->data() + text->size();
    require(whole && page.limit >= 1 && page.limit <= limit_max, "?limit", "must be a number from 1 to 100");
  }
  if (const auto* text = query_value("cursor")) {
    const auto bytes = decode_cursor(*text).value_or("");
    const auto key_bytes = bytes.size() - std::min(bytes.size(), cursor_check_bytes);
    page.cursor = bytes.substr(0, key_bytes);
    has_foreign_cursor = page.cursor.empty() || seal_cursor(page.cursor) != *text;
    require(!has_foreign_cursor, "?cursor", "is not a cursor of this list");
  }
  return page;
}

}  // namespace troupe
