#include "actors/sku/names.hpp"

#include <algorithm>

namespace troupe::sku {
namespace {

constexpr std::size_t sku_name_bytes_max = 64;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

bool is_sku_name(std::string_view text) {
  if (text.empty() || text.size() > sku_name_bytes_max || !is_alphanumeric(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; });
}

std::string to_string(const order_name& name) {
  std::string out = name.sku + '.';
  append_to(out, name.id);
  return out;
}

std::optional<order_name> parse_order_name(std::string_view text) {
  const auto dot = text.rfind('.');
  if (dot == std::string_view::npos || !is_sku_name(text.substr(0, dot))) return std::nullopt;
  const auto id = parse_uuid(text.substr(dot + 1));
  if (!id) return std::nullopt;
  return order_name{std::string{text.substr(0, dot)}, *id};
}

}  // namespace troupe::sku
