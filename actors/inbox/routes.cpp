#include "actors/inbox/routes.hpp"

#include "actors/inbox/inbox.hpp"
#include "actors/inbox/names.hpp"
#include "actors/route_parts.hpp"

namespace troupe::inbox {
namespace {

constexpr problem_kind no_such_notification{
    404, "no-such-notification", "There is no such notification",
    "It does not exist, was removed, made room for newer ones, or belongs to somebody else."};

selection selection_of(route_request& in) {
  const auto* unread = in.query_value("unread");
  if (unread == nullptr || *unread == "false") return selection::everything;
  in.require(*unread == "true", "?unread", "must be true or false");
  return selection::unread;
}

bound bind_list(route_request& in, const boost::json::value*) {
  const list message{.which = selection_of(in), .page = in.page()};
  return for_user_in_path(in, [&](const user_id& user) { return to<kind>(to_string(user), message); });
}

/// A message without parameters to the inbox of the user in the path.
template <class Message>
bound to_inbox(route_request& in, const boost::json::value*) {
  return for_user_in_path(in, [](const user_id& user) { return to<kind>(to_string(user), Message{}); });
}

/// A message to one notification, whose id names its inbox. One of somebody else looks like none.
template <class Message>
bound to_notification(route_request& in, const boost::json::value*) {
  const auto name = parse_notification_name(in.param("id"));
  if (!name || !caller_of(in).may_act_for(name->user)) return unrouted{no_such_notification, {}};
  return to<kind>(to_string(name->user), Message{name->id});
}

problem_kind problem_of(std::uint16_t code) {
  switch (static_cast<refusal>(code)) {
    case refusal::no_such_notification:
      return no_such_notification;
  }
  return unknown_refusal;
}

}  // namespace

route_block routes() {
  using enum http_method;
  const route list_row{.method = get,
                       .path = "/api/v1/users/{userId}/notifications",
                       .summary = "Notifications of a user, newest first; ?unread=true for the unread ones",
                       .bind = bind_list,
                       .render = render_as<notification_page>};
  const route count_row{.method = get,
                        .path = "/api/v1/users/{userId}/notifications/unread-count",
                        .summary = "How many notifications of a user are unread",
                        .bind = to_inbox<get_unread_count>,
                        .render = render_as<unread_total>};
  const route read_row{.method = patch,
                       .path = "/api/v1/notifications/{id}/read",
                       .key = key_rule::optional,
                       .summary = "Mark a notification as read",
                       .bind = to_notification<mark_read>,
                       .render = render_as<notification_view>};
  const route read_all_row{.method = post,
                           .path = "/api/v1/users/{userId}/notifications/read-all",
                           .key = key_rule::optional,
                           .summary = "Mark all notifications of a user as read",
                           .bind = to_inbox<read_all>,
                           .render = render_as<unread_total>};
  const route remove_row{.method = del,
                         .path = "/api/v1/notifications/{id}",
                         .success_status = 204,
                         .summary = "Delete a notification",
                         .bind = to_notification<remove>};
  return {.kind = kind::options.id,
          .routes = {list_row, count_row, read_row, read_all_row, remove_row, compat(list_row),
                     compat(count_row), compat(read_row)},
          .problem_of = problem_of};
}

}  // namespace troupe::inbox
