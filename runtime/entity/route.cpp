#include "runtime/entity/route.hpp"

#include <charconv>

namespace troupe {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t cursor_chars_max = 400;
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

page_request route_request::page() {
  page_request page;
  if (const auto* text = query_value("limit")) {
    const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), page.limit);
    const bool whole = fault == std::errc{} && end == text->data() + text->size();
    require(whole && page.limit >= 1 && page.limit <= limit_max, "?limit", "must be a number from 1 to 100");
  }
  if (const auto* text = query_value("cursor")) {
    const auto cursor = decode_cursor(*text);
    require(cursor.has_value(), "?cursor", "is not a cursor of this list");
    page.cursor = cursor.value_or("");
  }
  return page;
}

}  // namespace troupe
