#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/sku/messages.hpp"
#include "actors/task/messages.hpp"

/// The whole protocol of an agenda. Numbers and field order are for ever.
namespace troupe::agenda {

/// Sent by a task. Of two the later version wins, whichever comes first.
struct task_changed {
  uuid task{};
  std::uint64_t version = 0;
  bool is_removed = false;
  std::string title{};
  task::status status = task::status::open;
  std::optional<timestamp> due_at{};
  timestamp created_at{};
  timestamp updated_at{};
  friend auto operator<=>(const task_changed&, const task_changed&) = default;
};
TROUPE_DESCRIBE(task_changed, task, version, is_removed, title, status, due_at, created_at, updated_at)

/// Sent by a SKU. Of two the later status wins, whichever comes first.
struct order_changed {
  uuid order{};
  std::string sku{};
  std::int64_t quantity = 1;
  sku::order_status status = sku::order_status::confirmed;
  friend auto operator<=>(const order_changed&, const order_changed&) = default;
};
TROUPE_DESCRIBE(order_changed, order, sku, quantity, status)

struct list_tasks {
  std::optional<task::status> status{};
  page_request page{};
  friend auto operator<=>(const list_tasks&, const list_tasks&) = default;
};
TROUPE_DESCRIBE(list_tasks, status, page)

struct list_orders {
  page_request page{};
  friend auto operator<=>(const list_orders&, const list_orders&) = default;
};
TROUPE_DESCRIBE(list_orders, page)

/// A task as a list shows it: all but its description.
struct task_summary {
  std::string id{};
  std::string title{};
  troupe::user_id user_id{};
  task::status status = task::status::open;
  std::optional<timestamp> due_at{};
  timestamp created_at{};
  timestamp updated_at{};
  std::uint64_t version = 0;
  friend auto operator<=>(const task_summary&, const task_summary&) = default;
};
TROUPE_DESCRIBE(task_summary, id, title, user_id, status, due_at, created_at, updated_at, version)

struct task_page {
  std::vector<task_summary> items{};
  std::optional<std::string> next_cursor{};
  friend auto operator<=>(const task_page&, const task_page&) = default;
};
TROUPE_DESCRIBE(task_page, items, next_cursor)

struct order_summary {
  std::string order_id{};
  std::string sku{};
  std::int64_t quantity = 0;
  sku::order_status status = sku::order_status::reserved;
  std::uint64_t arrival = 0;
  timestamp placed_at{};
  friend auto operator<=>(const order_summary&, const order_summary&) = default;
};
TROUPE_DESCRIBE(order_summary, order_id, sku, quantity, status, arrival, placed_at)

struct order_page {
  std::vector<order_summary> items{};
  std::optional<std::string> next_cursor{};
  friend auto operator<=>(const order_page&, const order_page&) = default;
};
TROUPE_DESCRIBE(order_page, items, next_cursor)

}  // namespace troupe::agenda
