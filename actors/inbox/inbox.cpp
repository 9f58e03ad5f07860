#include "actors/inbox/inbox.hpp"

#include "actors/inbox/names.hpp"

namespace troupe::inbox {

result<done> kind::on(const notify& c) {
  auto& s = edit();
  const auto number = ++s.last_number;
  items().put(number, {c.type, c.title, c.body, c.subject, now(), false});
  unread_index().put(number, {});
  ++s.kept;
  ++s.unread;
  if (s.kept > kept_max) drop_oldest();
  return done{};
}

result<notification_view> kind::on(const mark_read& c) {
  auto found = find(c.notification);
  if (!found) return reject(refusal::no_such_notification);
  auto& [number, row] = *found;
  if (is_unread(number, row)) {
    row.is_marked_read = true;
    items().put(number, row);
    unread_index().erase(number);
    --edit().unread;
  }
  return view_of(number, row);
}

// The watermark reads them all in one step, however many they are; sweeps then take the index rows away.
result<unread_total> kind::on(const read_all&) {
  if (state().unread > 0) {
    auto& s = edit();
    s.read_up_to = s.last_number;
    s.unread = 0;
    send<kind>(key(), sweep{});
  }
  return unread_total{};
}

result<done> kind::on(const sweep&) {
  const auto page = unread_index().list({.limit = sweep_rows_max, .cursor = {}}, scan_order::ascending);
  for (const auto& [number, mark] : page.rows) {
    if (number > state().read_up_to) return done{};
    unread_index().erase(number);
  }
  if (!page.next_cursor.empty()) send<kind>(key(), sweep{});
  return done{};
}

result<done> kind::on(const remove& c) {
  const auto found = find(c.notification);
  if (!found) return reject(refusal::no_such_notification);
  drop(found->number, found->row);
  return done{};
}

result<notification_page> kind::on(const list& q) const {
  switch (q.which) {
    case selection::everything:
      return list_everything(q.page);
    case selection::unread:
      return list_unread(q.page);
  }
  return notification_page{};
}

result<unread_total> kind::on(const get_unread_count&) const { return unread_total{state().unread}; }

std::optional<kind::found_notification> kind::find(const uuid& id) const {
  const auto number = number_in(id);
  auto row = items().find(number);
  if (!row || numbered_id(row->created_at, number) != id) return std::nullopt;
  return found_notification{number, std::move(*row)};
}

void kind::drop(std::uint64_t number, const notification& row) {
  auto& s = edit();
  TROUPE_ASSERT(s.kept > 0, "inbox/I2 " + key());
  --s.kept;
  if (is_unread(number, row)) {
    TROUPE_ASSERT(s.unread > 0, "inbox/I1 " + key());
    --s.unread;
  }
  items().erase(number);
  if (!row.is_marked_read) unread_index().erase(number);
}

void kind::drop_oldest() {
  const page_request first{.limit = 1, .cursor = to_sort_key(state().dropped_up_to)};
  const auto oldest = items().list(first, scan_order::ascending);
  TROUPE_ASSERT(!oldest.rows.empty(), "inbox/I2 " + key());
  const auto& [number, row] = oldest.rows.front();
  drop(number, row);
  edit().dropped_up_to = number;
}

notification_page kind::list_everything(const page_request& page) const {
  notification_page out;
  const auto found = items().list(page, scan_order::descending);
  for (const auto& [number, row] : found.rows) out.items.push_back(view_of(number, row));
  if (!found.next_cursor.empty()) out.next_cursor = found.next_cursor;
  return out;
}

notification_page kind::list_unread(const page_request& page) const {
  notification_page out;
  std::uint64_t last = 0;
  auto asked = page;
  ++asked.limit;  // the row behind the page tells whether there is a next one
  const auto found = unread_index().list(asked, scan_order::descending);
  for (const auto& [number, mark] : found.rows) {
    if (number <= state().read_up_to) break;
    if (out.items.size() == page.limit) {
      out.next_cursor = to_sort_key(last);
      break;
    }
    const auto row = items().find(number);
    TROUPE_ASSERT(row.has_value(), "inbox/I3: an index row without its notification, " + key());
    out.items.push_back(view_of(number, *row));
    last = number;
  }
  return out;
}

notification_view kind::view_of(std::uint64_t number, const notification& row) const {
  const auto user = parse_uuid(key()).value_or(user_id{});
  notification_view view{.id = to_string(notification_name{user, numbered_id(row.created_at, number)}),
                         .user_id = user,
                         .type = row.type,
                         .title = row.title,
                         .body = row.body,
                         .subject = {},
                         .read = !is_unread(number, row),
                         .created_at = row.created_at};
  if (!row.subject.empty()) view.subject = row.subject;
  return view;
}

}  // namespace troupe::inbox
