#pragma once

#include "actors/agenda/messages.hpp"
#include "runtime/entity/kind.hpp"

namespace troupe::agenda {

/// All is in rows, so that an order costs its user one row more and no state.
struct state {
  friend auto operator<=>(const state&, const state&) = default;
};
BOOST_DESCRIBE_STRUCT(state, (), ())

/// What is known of a task. A removed one stays as a tombstone, so that an older message cannot bring it
/// back.
struct task_entry {
  std::uint64_t version = 0;
  bool is_removed = false;
  std::string title{};
  task::status status = task::status::open;
  std::optional<timestamp> due_at{};
  timestamp created_at{};
  timestamp updated_at{};
  friend auto operator<=>(const task_entry&, const task_entry&) = default;
};
TROUPE_DESCRIBE(task_entry, version, is_removed, title, status, due_at, created_at, updated_at)

struct order_entry {
  std::int64_t quantity = 1;
  sku::order_status status = sku::order_status::confirmed;
  friend auto operator<=>(const order_entry&, const order_entry&) = default;
};
TROUPE_DESCRIBE(order_entry, quantity, status)

/// What one user has: tasks by status and orders, newest first. The key is the user's id as text. It follows
/// the entities that own the tasks and orders, a moment behind them.
class kind final : public entity<kind, state> {
 public:
  static constexpr kind_options options{.id = kind_id{4}, .name = "agenda"};
  using commands = messages<numbered<1, task_changed>, numbered<2, order_changed>>;
  using queries = messages<numbered<32, list_tasks>, numbered<33, list_orders>>;
  TROUPE_NUMBERED_MESSAGES

  result<done> on(const task_changed& c);
  result<done> on(const order_changed& c);
  result<task_page> on(const list_tasks& q) const;
  result<order_page> on(const list_orders& q) const;

 private:
  using by_time = std::tuple<timestamp, uuid>;
  using by_status = std::tuple<task::status, timestamp, uuid>;

  table<uuid, task_entry> tasks() const { return rows<uuid, task_entry>(table_no{1}); }
  table<by_time, present> task_times() const { return rows<by_time, present>(table_no{2}); }
  table<by_status, present> task_statuses() const { return rows<by_status, present>(table_no{3}); }
  /// The order's id begins with its time. The SKU is part of the key, because ids are unique within a SKU
  /// only.
  table<std::tuple<uuid, std::string>, order_entry> orders() const {
    return rows<std::tuple<uuid, std::string>, order_entry>(table_no{4});
  }
  task_summary summary_of(const uuid& id) const;
};

}  // namespace troupe::agenda
