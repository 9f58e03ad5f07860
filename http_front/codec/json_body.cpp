#include "http_front/codec/json_body.hpp"

#include <algorithm>
#include <boost/json/error.hpp>
#include <boost/json/parse.hpp>

namespace troupe::http {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x) == y; });
}

std::size_t count_members(const boost::json::value& json) {
  std::size_t count = 0;
  if (json.is_object()) {
    count = json.get_object().size();
    for (const auto& member : json.get_object()) count += count_members(member.value());
  } else if (json.is_array()) {
    for (const auto& element : json.get_array()) count += count_members(element);
  }
  return count;
}

/// In valid JSON every colon outside a string belongs to one member.
std::size_t count_colons(std::string_view text) {
  std::size_t count = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == ':') {
      ++count;
    }
  }
  return count;
}

}  // namespace

bool is_json_media_type(std::string_view content_type) {
  const auto semicolon = content_type.find(';');
  if (!same_word(trimmed(content_type.substr(0, semicolon)), "application/json")) return false;
  while (!content_type.empty() && content_type.find(';') != std::string_view::npos) {
    content_type.remove_prefix(content_type.find(';') + 1);
    auto parameter = trimmed(content_type.substr(0, content_type.find(';')));
    if (parameter.size() < 8 || !same_word(parameter.substr(0, 8), "charset=")) continue;
    parameter.remove_prefix(8);
    if (!same_word(parameter, "utf-8") && !same_word(parameter, "\"utf-8\"")) return false;
  }
  return true;
}

std::string_view parse_json_body(std::string_view text, const boost::json::storage_ptr& memory,
                                 boost::json::value& out) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return "the body is empty";
  boost::json::parse_options options;
  options.max_depth = json_depth_max;
  boost::json::error_code error;
  out = boost::json::parse(text, error, memory, options);
  if (error == boost::json::error::too_deep) return "the body is nested deeper than 32";
  if (error == boost::json::error::extra_data) return "the body goes on after its JSON value";
  if (error == boost::json::error::incomplete) return "the body ends inside its JSON value";
  if (error) return "the body is not valid JSON in UTF-8";
  if (!out.is_object()) return "the body must be a JSON object";
  // The parser keeps the last of two members with one name; another reader of this request might keep the
  // first.
  if (count_members(out) != count_colons(text)) return "the body names a member twice";
  return {};
}

}  // namespace troupe::http
