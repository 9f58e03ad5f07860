#include "actors/agenda/agenda.hpp"

#include "actors/sku/names.hpp"

namespace troupe::agenda {

result<done> kind::on(const task_changed& c) {
  const auto known = tasks().find(c.task);
  if (known && known->version >= c.version) return done{};
  const bool was_listed = known && !known->is_removed;
  const bool moves = !was_listed || c.is_removed || known->status != c.status;
  if (was_listed && moves) task_statuses().erase({known->status, known->created_at, c.task});
  if (was_listed && c.is_removed) task_times().erase({known->created_at, c.task});
  if (!c.is_removed && moves) task_statuses().put({c.status, c.created_at, c.task}, {});
  if (!c.is_removed && !was_listed) task_times().put({c.created_at, c.task}, {});
  if (c.is_removed) {
    tasks().put(c.task, {.version = c.version, .is_removed = true});
  } else {
    tasks().put(c.task, {c.version, false, c.title, c.status, c.due_at, c.created_at, c.updated_at});
  }
  return done{};
}

result<done> kind::on(const order_changed& c) {
  const std::tuple key{c.order, c.sku};
  const auto known = orders().find(key);
  if (!known || known->status < c.status) orders().put(key, {c.quantity, c.status});
  return done{};
}

result<task_page> kind::on(const list_tasks& q) const {
  task_page out;
  const auto take = [&](const auto& page) {
    for (const auto& [key, row] : page.rows) out.items.push_back(summary_of(std::get<uuid>(key)));
    if (!page.next_cursor.empty()) out.next_cursor = page.next_cursor;
  };
  if (q.status) {
    take(task_statuses().list(q.page, scan_order::descending, to_sort_key(*q.status)));
  } else {
    take(task_times().list(q.page, scan_order::descending));
  }
  return out;
}

result<order_page> kind::on(const list_orders& q) const {
  order_page out;
  const auto page = orders().list(q.page, scan_order::descending);
  for (const auto& [name, row] : page.rows) {
    const auto& [id, sku] = name;
    out.items.push_back({.order_id = to_string(sku::order_name{sku, id}),
                         .sku = sku,
                         .quantity = row.quantity,
                         .status = row.status,
                         .arrival = number_in(id),
                         .placed_at = time_in(id)});
  }
  if (!page.next_cursor.empty()) out.next_cursor = page.next_cursor;
  return out;
}

task_summary kind::summary_of(const uuid& id) const {
  const auto row = tasks().find(id);
  TROUPE_ASSERT(row && !row->is_removed, "agenda/A1: an index row without its task, " + key());
  return {.id = to_string(id),
          .title = row->title,
          .user_id = parse_uuid(key()).value_or(user_id{}),
          .status = row->status,
          .due_at = row->due_at,
          .created_at = row->created_at,
          .updated_at = row->updated_at,
          .version = row->version};
}

}  // namespace troupe::agenda
