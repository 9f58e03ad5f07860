#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "actors/caller.hpp"
#include "runtime/base/time.hpp"
#include "runtime/base/uuid.hpp"
#include "runtime/entity/describe.hpp"

/// The whole protocol of a task. Numbers and field order are for ever.
namespace troupe::task {

inline constexpr std::size_t title_characters_max = 200;
inline constexpr std::size_t description_characters_max = 10'000;

enum class refusal : std::uint8_t { no_such_task = 1, task_exists, bad_text };
TROUPE_DESCRIBE_ENUM(refusal, no_such_task, task_exists, bad_text)

enum class status : std::uint8_t { open = 1, in_progress = 2, done = 3, cancelled = 4 };
TROUPE_DESCRIBE_ENUM(status, open, in_progress, done, cancelled)

struct create {
  std::string title{};
  std::string description{};
  user_id user{};     // whose task it is
  user_id creator{};  // nil when nobody is known to have made it
  std::optional<timestamp> due_at{};
  friend auto operator<=>(const create&, const create&) = default;
};
TROUPE_DESCRIBE(create, title, description, user, creator, due_at)

/// Changes what is given and leaves the rest.
struct change {
  caller by{};
  std::optional<std::string> title{};
  std::optional<std::string> description{};
  std::optional<task::status> status{};
  std::optional<timestamp> due_at{};
  bool clears_due_at = false;
  friend auto operator<=>(const change&, const change&) = default;
};
TROUPE_DESCRIBE(change, by, title, description, status, due_at, clears_due_at)

struct remove {
  caller by{};
  friend auto operator<=>(const remove&, const remove&) = default;
};
TROUPE_DESCRIBE(remove, by)

/// The timer of a due date; `due_at` is the date it was set for.
struct remind {
  timestamp due_at{};
  friend auto operator<=>(const remind&, const remind&) = default;
};
TROUPE_DESCRIBE(remind, due_at)

struct get_task {
  caller by{};
  friend auto operator<=>(const get_task&, const get_task&) = default;
};
TROUPE_DESCRIBE(get_task, by)

struct task_view {
  std::string id{};
  std::string title{};
  std::string description{};
  troupe::user_id user_id{};
  std::optional<troupe::user_id> creator_id{};
  task::status status = status::open;
  std::optional<timestamp> due_at{};
  timestamp created_at{};
  timestamp updated_at{};
  std::uint64_t version = 0;
  friend auto operator<=>(const task_view&, const task_view&) = default;
};
TROUPE_DESCRIBE(task_view, id, title, description, user_id, creator_id, status, due_at, created_at,
                updated_at, version)

}  // namespace troupe::task
