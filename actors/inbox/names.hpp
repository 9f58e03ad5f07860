#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/uuid.hpp"

namespace troupe::inbox {

/// The name of a notification, `<user>.<uuid>`: it says whose inbox to ask, so no lookup is needed.
struct notification_name {
  user_id user{};
  uuid id{};
  friend auto operator<=>(const notification_name&, const notification_name&) = default;
};
std::string to_string(const notification_name& name);
std::optional<notification_name> parse_notification_name(std::string_view text);

}  // namespace troupe::inbox
