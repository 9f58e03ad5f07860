#include "actors/task/task.hpp"

#include "actors/agenda/agenda.hpp"
#include "actors/inbox/inbox.hpp"
#include "runtime/base/text.hpp"

namespace troupe::task {
namespace {

bool is_title(const std::string& text) {
  const auto length = count_characters(text);
  return length <= title_characters_max && !is_blank(text);
}

bool is_description(const std::string& text) { return count_characters(text) <= description_characters_max; }

bool is_active(status s) { return s == status::open || s == status::in_progress; }

template <class T>
bool differs(const std::optional<T>& wanted, const T& present) {
  return wanted && *wanted != present;
}

}  // namespace

result<task_view> kind::on(const create& c) {
  if (exists()) return reject(refusal::task_exists);
  if (!is_title(c.title) || !is_description(c.description)) return reject(refusal::bad_text);
  auto& s = edit();
  s.title = c.title;
  s.description = c.description;
  s.user = c.user;
  s.creator = c.creator;
  s.due_at = c.due_at;
  s.created_at = s.updated_at = now();
  set_reminder();
  tell_agenda();
  tell_user("task_created", "New task: " + s.title);
  return view_at(version() + 1);
}

result<task_view> kind::on(const change& c) {
  if (!is_visible_to(c.by)) return reject(refusal::no_such_task);
  if ((c.title && !is_title(*c.title)) || (c.description && !is_description(*c.description))) {
    return reject(refusal::bad_text);
  }
  if (!alters(c)) return view_at(version());
  auto& s = edit();
  if (c.title) s.title = *c.title;
  if (c.description) s.description = *c.description;
  if (c.status) s.status = *c.status;
  if (c.due_at) s.due_at = c.due_at;
  if (c.clears_due_at) s.due_at.reset();
  s.updated_at = now();
  set_reminder();
  tell_agenda();
  return view_at(version() + 1);
}

// The tombstone keeps the id taken and tells a repeated removal from a task that never was.
result<done> kind::on(const remove& c) {
  if (!is_visible_to(c.by)) return reject(refusal::no_such_task);
  auto& s = edit();
  s.is_removed = true;
  s.title.clear();
  s.description.clear();
  s.updated_at = now();
  set_reminder();
  tell_agenda();
  return done{};
}

result<done> kind::on(const remind& c) {
  if (!state().reminder || state().due_at != c.due_at) return done{};
  auto& s = edit();
  s.reminder.reset();
  s.reminded_of = s.due_at;
  tell_agenda();  // the version that it shows is one that If-Match takes
  tell_user("task_due", "Task is due: " + s.title);
  return done{};
}

result<task_view> kind::on(const get_task& q) const {
  if (!is_visible_to(q.by)) return reject(refusal::no_such_task);
  return view_at(version());
}

/// To all others there is no such task.
bool kind::is_visible_to(const caller& by) const {
  if (!exists() || state().is_removed) return false;
  return by.may_act_for(state().user) || (by.user == state().creator && !by.user.is_nil());
}

bool kind::alters(const change& c) const {
  const auto& s = state();
  const bool moves_due_at = c.clears_due_at ? s.due_at.has_value() : (c.due_at && c.due_at != s.due_at);
  return differs(c.title, s.title) || differs(c.description, s.description) || differs(c.status, s.status) ||
         moves_due_at;
}

/// Makes task/T1 hold after a change of anything that it speaks of.
void kind::set_reminder() {
  auto& s = edit();
  const bool is_wanted = !s.is_removed && is_active(s.status) && s.due_at && s.due_at != s.reminded_of;
  if (s.reminder && is_wanted && s.reminder->due == *s.due_at) return;
  if (s.reminder) cancel(*s.reminder);
  s.reminder.reset();
  if (is_wanted) s.reminder = at(*s.due_at, remind{*s.due_at});
}

void kind::tell_agenda() {
  const auto& s = state();
  send<agenda::kind>(to_string(s.user), agenda::task_changed{.task = parse_uuid(key()).value_or(uuid{}),
                                                             .version = version() + 1,
                                                             .is_removed = s.is_removed,
                                                             .title = s.title,
                                                             .status = s.status,
                                                             .due_at = s.due_at,
                                                             .created_at = s.created_at,
                                                             .updated_at = s.updated_at});
}

void kind::tell_user(std::string type, std::string title) {
  send<inbox::kind>(
      to_string(state().user),
      inbox::notify{.type = std::move(type), .title = std::move(title), .body = {}, .subject = key()});
}

task_view kind::view_at(std::uint64_t version) const {
  const auto& s = state();
  task_view view{.id = key(),
                 .title = s.title,
                 .description = s.description,
                 .user_id = s.user,
                 .creator_id = {},
                 .status = s.status,
                 .due_at = s.due_at,
                 .created_at = s.created_at,
                 .updated_at = s.updated_at,
                 .version = version};
  if (!s.creator.is_nil()) view.creator_id = s.creator;
  return view;
}

}  // namespace troupe::task
