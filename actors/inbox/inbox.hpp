#pragma once

#include "actors/inbox/messages.hpp"
#include "runtime/entity/kind.hpp"

namespace troupe::inbox {

/// Notifications kept for one user; the oldest make room for new ones.
inline constexpr std::uint64_t kept_max = 10'000;
/// Index rows that one sweep takes away.
inline constexpr std::uint64_t sweep_rows_max = 500;

/// Notifications are numbered 1, 2, 3 … as they come. One is unread when it was not marked and its number is
/// above `read_up_to`.
/// Invariant inbox/I1: `unread` is the number of unread notifications, after every command.
struct state {
  std::uint64_t last_number = 0;
  std::uint64_t dropped_up_to = 0;  // no notification has a number up to this one
  std::uint64_t kept = 0;
  std::uint64_t unread = 0;
  std::uint64_t read_up_to = 0;
  friend auto operator<=>(const state&, const state&) = default;
};
TROUPE_DESCRIBE(state, last_number, dropped_up_to, kept, unread, read_up_to)

struct notification {
  std::string type{};
  std::string title{};
  std::string body{};
  std::string subject{};
  timestamp created_at{};
  bool is_marked_read = false;
  friend auto operator<=>(const notification&, const notification&) = default;
};
TROUPE_DESCRIBE(notification, type, title, body, subject, created_at, is_marked_read)

/// What one user is told. The key is the user's id as text.
class kind final : public entity<kind, state> {
 public:
  static constexpr kind_options options{.id = kind_id{3}, .name = "inbox"};
  using commands = messages<numbered<1, notify>, numbered<2, mark_read>, numbered<3, read_all>,
                            numbered<4, remove>, numbered<5, sweep>>;
  using queries = messages<numbered<32, list>, numbered<33, get_unread_count>>;
  TROUPE_NUMBERED_MESSAGES

  result<done> on(const notify& c);
  result<notification_view> on(const mark_read& c);
  result<unread_total> on(const read_all& c);
  result<done> on(const remove& c);
  result<done> on(const sweep& c);
  result<notification_page> on(const list& q) const;
  result<unread_total> on(const get_unread_count& q) const;

 private:
  struct found_notification {
    std::uint64_t number = 0;
    notification row;
  };

  table<std::uint64_t, notification> items() const { return rows<std::uint64_t, notification>(table_no{1}); }
  /// Index of the unread ones. Rows up to `read_up_to` are stale and wait for a sweep.
  table<std::uint64_t, present> unread_index() const { return rows<std::uint64_t, present>(table_no{2}); }

  std::optional<found_notification> find(const uuid& id) const;
  bool is_unread(std::uint64_t number, const notification& row) const {
    return !row.is_marked_read && number > state().read_up_to;
  }
  void drop(std::uint64_t number, const notification& row);
  void drop_oldest();
  notification_page list_everything(const page_request& page) const;
  notification_page list_unread(const page_request& page) const;
  notification_view view_of(std::uint64_t number, const notification& row) const;
};

}  // namespace troupe::inbox
