#include "http_front/policy/precondition.hpp"

#include <charconv>

namespace troupe::http {
namespace {

void trim(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
}

std::optional<std::uint64_t> version_in(std::string_view tag) {
  if (tag.size() < 3 || tag.front() != '"' || tag.back() != '"') return std::nullopt;
  const auto digits = tag.substr(1, tag.size() - 2);
  std::uint64_t version = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (fault != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return version;
}

}  // namespace

std::string etag_of(std::uint64_t version) { return '"' + std::to_string(version) + '"'; }

std::optional<version_condition> parse_if_match(std::string_view value) {
  trim(value);
  if (value == "*") return version_condition::exists();
  if (value.find(',') != std::string_view::npos) return std::nullopt;
  const auto version = version_in(value);
  return version ? version_condition{*version} : version_condition::never();
}

std::optional<version_condition> parse_if_none_match(std::string_view value) {
  trim(value);
  if (value == "*") return version_condition::absent();
  if (value.find(',') != std::string_view::npos) return std::nullopt;
  if (value.starts_with("W/")) value.remove_prefix(2);
  const auto version = version_in(value);
  return version ? version_condition::other_than(*version) : version_condition{};
}

bool none_match_holds(std::string_view value, std::uint64_t version) {
  trim(value);
  if (value == "*") return false;
  while (!value.empty()) {
    const auto comma = value.find(',');
    auto tag = value.substr(0, comma);
    value = comma == std::string_view::npos ? std::string_view{} : value.substr(comma + 1);
    trim(tag);
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (version_in(tag) == version) return false;
  }
  return true;
}

}  // namespace troupe::http
