#pragma once

#include "actors/sku/messages.hpp"
#include "runtime/entity/kind.hpp"

namespace troupe::sku {

/// Rewritten with every order, so it holds numbers and little else.
/// Invariant sku/S1: initial + restocked = available + reserved + sold, and nothing is below zero.
struct state {
  std::string name{};
  std::int64_t initial = 0;
  std::int64_t restocked = 0;
  std::int64_t available = 0;
  std::int64_t reserved = 0;
  std::int64_t sold = 0;
  std::uint64_t arrivals = 0;
  std::optional<std::int64_t> per_user_limit{};
  std::optional<std::int64_t> hold_seconds{};
  std::optional<timestamp> opens_at{};
  std::optional<std::int64_t> price{};
  friend auto operator<=>(const state&, const state&) = default;
};
TROUPE_DESCRIBE(state, name, initial, restocked, available, reserved, sold, arrivals, per_user_limit,
                hold_seconds, opens_at, price)

/// A row under the order's arrival number. The commonest order encodes in the fewest bytes.
struct order {
  user_id user{};
  std::int64_t quantity = 1;
  order_status status = order_status::confirmed;
  timestamp placed_at{};
  std::optional<timer_id> hold{};
  friend auto operator<=>(const order&, const order&) = default;
};
TROUPE_DESCRIBE(order, user, quantity, status, placed_at, hold)

/// Units of one user in reserved and confirmed orders; kept with or without a limit, so that a limit set
/// later counts what was bought before.
struct buyer {
  std::int64_t units = 0;
  friend auto operator<=>(const buyer&, const buyer&) = default;
};
TROUPE_DESCRIBE(buyer, units)

/// One thing for sale: its stock, and every order for it in order of arrival.
class kind final : public entity<kind, state> {
 public:
  static constexpr kind_options options{.id = kind_id{1}, .name = "sku"};
  using commands = messages<numbered<1, define>, numbered<2, restock>, numbered<3, place_order>,
                            numbered<4, confirm_order>, numbered<5, cancel_order>, numbered<6, expire_hold>>;
  using queries = messages<numbered<32, get_stock>, numbered<33, get_order>, numbered<34, list_orders>>;
  TROUPE_NUMBERED_MESSAGES

  result<stock_view> on(const define& c);
  result<stock_view> on(const restock& c);
  result<receipt> on(const place_order& c);
  result<receipt> on(const confirm_order& c);
  result<receipt> on(const cancel_order& c);
  result<done> on(const expire_hold& c);
  result<stock_view> on(const get_stock& q) const;
  result<receipt> on(const get_order& q) const;
  result<receipt_page> on(const list_orders& q) const;

 private:
  struct found_order {
    std::uint64_t arrival = 0;
    order row;
  };

  table<std::uint64_t, order> orders() const { return rows<std::uint64_t, order>(table_no{1}); }
  table<user_id, buyer> buyers() const { return rows<user_id, buyer>(table_no{2}); }
  std::optional<found_order> find_order(const uuid& id, const caller& by) const;
  void settle(found_order& found, order_status next);
  void tell_agenda(std::uint64_t arrival, const order& row);
  receipt receipt_of(std::uint64_t arrival, const order& row) const;
  stock_view view_at(std::uint64_t version) const;
  void check_balance() const;
};

}  // namespace troupe::sku
