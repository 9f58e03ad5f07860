#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/base/uuid.hpp"
#include "runtime/entity/describe.hpp"
#include "runtime/entity/table.hpp"

/// The whole protocol of an inbox. Numbers and field order are for ever.
namespace troupe::inbox {

enum class refusal : std::uint8_t { no_such_notification = 1 };
TROUPE_DESCRIBE_ENUM(refusal, no_such_notification)

/// Sent by other entities. `type` is a word of the sender's, e.g. task_created; `subject` is the id of what
/// it is about.
struct notify {
  std::string type{};
  std::string title{};
  std::string body{};
  std::string subject{};
  friend auto operator<=>(const notify&, const notify&) = default;
};
TROUPE_DESCRIBE(notify, type, title, body, subject)

struct mark_read {
  uuid notification{};
  friend auto operator<=>(const mark_read&, const mark_read&) = default;
};
TROUPE_DESCRIBE(mark_read, notification)

struct read_all {
  friend auto operator<=>(const read_all&, const read_all&) = default;
};
BOOST_DESCRIBE_STRUCT(read_all, (), ())

struct remove {
  uuid notification{};
  friend auto operator<=>(const remove&, const remove&) = default;
};
TROUPE_DESCRIBE(remove, notification)

/// Sent by the inbox to itself: tidy away index rows that read_all made stale.
struct sweep {
  friend auto operator<=>(const sweep&, const sweep&) = default;
};
BOOST_DESCRIBE_STRUCT(sweep, (), ())

enum class selection : std::uint8_t { everything = 1, unread = 2 };
TROUPE_DESCRIBE_ENUM(selection, everything, unread)

struct list {
  selection which = selection::everything;
  page_request page{};
  friend auto operator<=>(const list&, const list&) = default;
};
TROUPE_DESCRIBE(list, which, page)

struct get_unread_count {
  friend auto operator<=>(const get_unread_count&, const get_unread_count&) = default;
};
BOOST_DESCRIBE_STRUCT(get_unread_count, (), ())

struct notification_view {
  std::string id{};
  troupe::user_id user_id{};
  std::string type{};
  std::string title{};
  std::string body{};
  std::optional<std::string> subject{};
  bool read = false;
  timestamp created_at{};
  friend auto operator<=>(const notification_view&, const notification_view&) = default;
};
TROUPE_DESCRIBE(notification_view, id, user_id, type, title, body, subject, read, created_at)

struct notification_page {
  std::vector<notification_view> items{};
  std::optional<std::string> next_cursor{};
  friend auto operator<=>(const notification_page&, const notification_page&) = default;
};
TROUPE_DESCRIBE(notification_page, items, next_cursor)

struct unread_total {
  std::uint64_t unread_count = 0;
  friend auto operator<=>(const unread_total&, const unread_total&) = default;
};
TROUPE_DESCRIBE(unread_total, unread_count)

}  // namespace troupe::inbox
