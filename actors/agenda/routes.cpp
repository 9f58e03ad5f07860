#include "actors/agenda/routes.hpp"

#include "actors/agenda/agenda.hpp"
#include "actors/route_parts.hpp"

namespace troupe::agenda {
namespace {

std::optional<task::status> status_in_query(route_request& in) {
  const auto* text = in.query_value("status");
  if (text == nullptr) return std::nullopt;
  task::status status{};
  in.require(enum_from_name(*text, status), "?status", "must be open, in_progress, done or cancelled");
  return status;
}

/// `?userId=`, or the caller.
std::optional<user_id> user_in_query(route_request& in) {
  const auto* text = in.query_value("userId");
  if (text == nullptr) {
    in.require(in.who.is_authenticated, "?userId", "is required without a token");
    return in.who.user;
  }
  const auto user = parse_uuid(*text);
  in.require(user && !user->is_nil(), "?userId", "must be a UUID, and not nil");
  return user;
}

bound bind_list_tasks(route_request& in, const boost::json::value*) {
  const list_tasks message{.status = status_in_query(in), .page = in.page()};
  const auto user = user_in_query(in);
  if (!user) return unrouted{};
  if (!caller_of(in).may_act_for(*user)) return unrouted{forbidden, "these belong to another user"};
  return to<kind>(to_string(*user), message);
}

bound bind_list_orders(route_request& in, const boost::json::value*) {
  return to<kind>(to_string(in.who.user), list_orders{in.page()});
}

problem_kind problem_of(std::uint16_t) { return unknown_refusal; }  // an agenda refuses nothing

}  // namespace

route_block routes() {
  using enum http_method;
  const route tasks_row{
      .method = get,
      .path = "/api/v1/tasks",
      .summary =
          "Tasks of a user, newest first; ?status= for those in one status. A change arrives a "
          "moment after its own answer",
      .bind = bind_list_tasks,
      .render = render_as<task_page>};
  const route orders_row{
      .method = get,
      .path = "/api/v1/orders",
      .summary = "The caller's orders, newest first. A change arrives a moment after its own answer",
      .bind = bind_list_orders,
      .render = render_as<order_page>};
  return {.kind = kind::options.id,
          .routes = {tasks_row, orders_row, compat(tasks_row)},
          .problem_of = problem_of};
}

}  // namespace troupe::agenda
