#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/caller.hpp"
#include "runtime/base/time.hpp"
#include "runtime/base/uuid.hpp"
#include "runtime/entity/describe.hpp"
#include "runtime/entity/table.hpp"

/// The whole protocol of a SKU. Numbers and field order are for ever.
namespace troupe::sku {

inline constexpr std::int64_t stock_max = 1'000'000'000'000;
inline constexpr std::int64_t quantity_max = 1'000'000;
inline constexpr std::int64_t hold_seconds_max = 30 * 24 * 3600;
inline constexpr std::int64_t price_max = 1'000'000'000'000;
inline constexpr std::size_t name_characters_max = 200;

enum class refusal : std::uint8_t {
  no_such_sku = 1,
  bad_definition,
  stock_is_set,
  bad_quantity,
  stock_limit,
  sale_not_open,
  sold_out,
  limit_reached,
  no_such_order,
  order_closed,
  hold_expired,
};
TROUPE_DESCRIBE_ENUM(refusal, no_such_sku, bad_definition, stock_is_set, bad_quantity, stock_limit,
                     sale_not_open, sold_out, limit_reached, no_such_order, order_closed, hold_expired)

/// An order only ever moves to a higher number, so the number doubles as the order's version.
enum class order_status : std::uint8_t { reserved = 1, confirmed = 2, cancelled = 3, expired = 4 };
TROUPE_DESCRIBE_ENUM(order_status, reserved, confirmed, cancelled, expired)

/// Creates the SKU, or changes all of it but its stock.
struct define {
  std::string name{};
  std::int64_t stock = 0;
  std::optional<std::int64_t> per_user_limit{};
  std::optional<std::int64_t> hold_seconds{};
  std::optional<timestamp> opens_at{};
  std::optional<std::int64_t> price{};  // in the smallest unit of the currency
  friend auto operator<=>(const define&, const define&) = default;
};
TROUPE_DESCRIBE(define, name, stock, per_user_limit, hold_seconds, opens_at, price)

struct restock {
  std::int64_t quantity = 0;
  friend auto operator<=>(const restock&, const restock&) = default;
};
TROUPE_DESCRIBE(restock, quantity)

struct place_order {
  user_id user{};
  std::int64_t quantity = 1;
  friend auto operator<=>(const place_order&, const place_order&) = default;
};
TROUPE_DESCRIBE(place_order, user, quantity)

struct confirm_order {
  uuid order{};
  caller by{};
  friend auto operator<=>(const confirm_order&, const confirm_order&) = default;
};
TROUPE_DESCRIBE(confirm_order, order, by)

struct cancel_order {
  uuid order{};
  caller by{};
  friend auto operator<=>(const cancel_order&, const cancel_order&) = default;
};
TROUPE_DESCRIBE(cancel_order, order, by)

/// The timer of a hold.
struct expire_hold {
  std::uint64_t arrival = 0;
  friend auto operator<=>(const expire_hold&, const expire_hold&) = default;
};
TROUPE_DESCRIBE(expire_hold, arrival)

struct get_stock {
  friend auto operator<=>(const get_stock&, const get_stock&) = default;
};
BOOST_DESCRIBE_STRUCT(get_stock, (), ())

struct get_order {
  uuid order{};
  caller by{};
  friend auto operator<=>(const get_order&, const get_order&) = default;
};
TROUPE_DESCRIBE(get_order, order, by)

/// All orders of the SKU by arrival.
struct list_orders {
  page_request page{};
  friend auto operator<=>(const list_orders&, const list_orders&) = default;
};
TROUPE_DESCRIBE(list_orders, page)

struct stock_view {
  std::string sku{};
  std::string name{};
  std::int64_t available = 0;
  std::int64_t reserved = 0;
  std::int64_t sold = 0;
  std::int64_t initial = 0;
  std::int64_t restocked = 0;
  bool sold_out = false;
  std::optional<std::int64_t> per_user_limit{};
  std::optional<std::int64_t> hold_seconds{};
  std::optional<timestamp> opens_at{};
  std::optional<std::int64_t> price{};
  std::uint64_t version = 0;
  friend auto operator<=>(const stock_view&, const stock_view&) = default;
};
TROUPE_DESCRIBE(stock_view, sku, name, available, reserved, sold, initial, restocked, sold_out,
                per_user_limit, hold_seconds, opens_at, price, version)

/// What the SKU answers about an order. It is kept with the order's idempotency key, so it is small: time and
/// arrival are in the id (numbered_id), the text of the id is made at the edge.
struct receipt {
  std::string sku{};
  uuid order{};
  user_id user{};
  std::int64_t quantity = 1;
  order_status status = order_status::confirmed;
  std::optional<timestamp> expires_at{};  // of a hold
  friend auto operator<=>(const receipt&, const receipt&) = default;

  std::uint64_t arrival() const { return number_in(order); }
};
TROUPE_DESCRIBE(receipt, sku, order, user, quantity, status, expires_at)

struct receipt_page {
  std::vector<receipt> items{};
  std::optional<std::string> next_cursor{};
  friend auto operator<=>(const receipt_page&, const receipt_page&) = default;
};
TROUPE_DESCRIBE(receipt_page, items, next_cursor)

/// A receipt as JSON shows it.
struct order_view {
  std::string order_id{};
  std::string sku{};
  troupe::user_id user_id{};
  std::int64_t quantity = 0;
  order_status status = order_status::reserved;
  std::uint64_t arrival = 0;
  timestamp placed_at{};
  std::optional<timestamp> expires_at{};
  friend auto operator<=>(const order_view&, const order_view&) = default;
};
TROUPE_DESCRIBE(order_view, order_id, sku, user_id, quantity, status, arrival, placed_at, expires_at)

struct order_page {
  std::vector<order_view> items{};
  std::optional<std::string> next_cursor{};
  friend auto operator<=>(const order_page&, const order_page&) = default;
};
TROUPE_DESCRIBE(order_page, items, next_cursor)

}  // namespace troupe::sku
