#pragma once

#include "actors/task/messages.hpp"
#include "runtime/entity/kind.hpp"

namespace troupe::task {

/// Invariant task/T1: `reminder` is set exactly while the task is open or in progress, not removed, and has a
/// due date that nobody was reminded of yet.
struct state {
  std::string title{};
  std::string description{};
  user_id user{};
  user_id creator{};
  task::status status = status::open;
  std::optional<timestamp> due_at{};
  std::optional<timestamp> reminded_of{};  // the due date that the last reminder was about
  std::optional<timer_id> reminder{};
  timestamp created_at{};
  timestamp updated_at{};
  bool is_removed = false;
  friend auto operator<=>(const state&, const state&) = default;
};
TROUPE_DESCRIBE(state, title, description, user, creator, status, due_at, reminded_of, reminder, created_at,
                updated_at, is_removed)

/// Something a user has to do. The key is the task's id as text.
class kind final : public entity<kind, state> {
 public:
  static constexpr kind_options options{.id = kind_id{2}, .name = "task"};
  using commands =
      messages<numbered<1, create>, numbered<2, change>, numbered<3, remove>, numbered<4, remind>>;
  using queries = messages<numbered<32, get_task>>;
  TROUPE_NUMBERED_MESSAGES

  result<task_view> on(const create& c);
  result<task_view> on(const change& c);
  result<done> on(const remove& c);
  result<done> on(const remind& c);
  result<task_view> on(const get_task& q) const;

 private:
  bool is_visible_to(const caller& by) const;
  bool alters(const change& c) const;
  void set_reminder();
  void tell_agenda();
  void tell_user(std::string type, std::string title);
  task_view view_at(std::uint64_t version) const;
};

}  // namespace troupe::task
