#include "actors/task/routes.hpp"

#include "actors/route_parts.hpp"
#include "actors/task/task.hpp"
#include "runtime/base/text.hpp"

namespace troupe::task {
namespace {

constexpr problem_kind no_such_task{404, "no-such-task", "There is no such task",
                                    "The task does not exist, was removed, or belongs to somebody else."};

struct create_body {
  std::string title;
  std::optional<std::string> description;
  troupe::user_id user_id;
  std::optional<timestamp> due_at;
};
TROUPE_DESCRIBE(create_body, title, description, user_id, due_at)

struct change_body {
  std::optional<std::string> title;
  std::optional<std::string> description;
  std::optional<task::status> status;
  std::optional<timestamp> due_at;
};
TROUPE_DESCRIBE(change_body, title, description, status, due_at)

void check_title(route_request& in, const std::string& title) {
  const auto length = count_characters(title);
  in.require(length >= 1 && length <= title_characters_max, "/title", "must be 1 to 200 characters");
  in.require(length == 0 || !is_blank(title), "/title", "must not be blank");
}

void check_description(route_request& in, const std::optional<std::string>& description) {
  const auto length = description ? count_characters(*description) : 0;
  in.require(length <= description_characters_max, "/description", "must be at most 10000 characters");
}

bound bind_create(route_request& in, const boost::json::value* body) {
  const auto wanted = read_body<create_body>(in, body);
  if (in.errors.empty()) {
    check_title(in, wanted.title);
    in.require(!wanted.user_id.is_nil(), "/userId", "must not be nil");
  }
  check_description(in, wanted.description);
  return to<kind>(to_string(in.fresh_id()), create{.title = wanted.title,
                                                   .description = wanted.description.value_or(""),
                                                   .user = wanted.user_id,
                                                   .creator = in.who.user,
                                                   .due_at = wanted.due_at});
}

/// A message to the task in the path.
template <class Message>
bound to_task(route_request& in, const Message& message) {
  const auto id = parse_uuid(in.param("id"));
  if (!id) return unrouted{no_such_task, "no task can have that id"};
  return to<kind>(to_string(*id), message);
}

bound bind_change(route_request& in, const boost::json::value* body) {
  const auto wanted = read_body<change_body>(in, body);
  if (wanted.title) check_title(in, *wanted.title);
  check_description(in, wanted.description);
  return to_task(in, change{.by = caller_of(in),
                            .title = wanted.title,
                            .description = wanted.description,
                            .status = wanted.status,
                            .due_at = wanted.due_at,
                            .clears_due_at = says_null(body, "dueAt")});
}

bound bind_get(route_request& in, const boost::json::value*) { return to_task(in, get_task{caller_of(in)}); }
bound bind_remove(route_request& in, const boost::json::value*) { return to_task(in, remove{caller_of(in)}); }

rendered render_created(std::string_view reply, const route_request& in, std::string& out) {
  std::string location = "/tasks/";
  auto about = render_view<task_view>(reply, in, out, [&](task_view&& view) {
    location += view.id;
    return std::move(view);
  });
  about.location = std::move(location);
  return about;
}

problem_kind problem_of(std::uint16_t code) {
  switch (static_cast<refusal>(code)) {
    case refusal::no_such_task:
      return no_such_task;
    case refusal::task_exists:
      return {409, "task-exists", "There is a task with that id already",
              "The id that follows from this Idempotency-Key is taken, if only by a removed task."};
    case refusal::bad_text:
      return {400, "bad-text", "The title or the description is too short or too long",
              "A title has 1 to 200 characters, not all of them blank; a description up to 10000."};
  }
  return unknown_refusal;
}

}  // namespace

route_block routes() {
  using enum http_method;
  const route create_row{.method = post,
                         .path = "/api/v1/tasks",
                         .key = key_rule::optional,
                         .success_status = 201,
                         .summary = "Create a task for a user, who is notified",
                         .has_body = true,
                         .bind = bind_create,
                         .render = render_created};
  const route get_row{.method = get,
                      .path = "/api/v1/tasks/{id}",
                      .summary = "One task",
                      .etag = true,
                      .bind = bind_get,
                      .render = render_as<task_view>};
  const route change_row{.method = patch,
                         .path = "/api/v1/tasks/{id}",
                         .key = key_rule::optional,
                         .summary = "Change a task; null clears dueAt",
                         .etag = true,
                         .has_body = true,
                         .bind = bind_change,
                         .render = render_as<task_view>};
  const route remove_row{.method = del,
                         .path = "/api/v1/tasks/{id}",
                         .success_status = 204,
                         .summary = "Delete a task",
                         .etag = true,
                         .bind = bind_remove};
  return {.kind = kind::options.id,
          .routes = {create_row, get_row, change_row, remove_row, compat(create_row), compat(get_row),
                     compat(change_row), compat(remove_row)},
          .problem_of = problem_of};
}

}  // namespace troupe::task
