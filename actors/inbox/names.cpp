#include "actors/inbox/names.hpp"

namespace troupe::inbox {

std::string to_string(const notification_name& name) {
  std::string out;
  append_to(out, name.user);
  out.push_back('.');
  append_to(out, name.id);
  return out;
}

std::optional<notification_name> parse_notification_name(std::string_view text) {
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto user = parse_uuid(text.substr(0, dot));
  const auto id = parse_uuid(text.substr(dot + 1));
  if (!user || !id) return std::nullopt;
  return notification_name{*user, *id};
}

}  // namespace troupe::inbox
