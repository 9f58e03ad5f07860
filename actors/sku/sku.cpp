#include "actors/sku/sku.hpp"

#include "actors/agenda/agenda.hpp"
#include "actors/inbox/inbox.hpp"
#include "actors/sku/names.hpp"
#include "runtime/base/text.hpp"

namespace troupe::sku {
namespace {

bool within(std::int64_t value, std::int64_t lowest, std::int64_t highest) {
  return value >= lowest && value <= highest;
}

bool is_sound(const define& c) {
  const auto length = count_characters(c.name);
  return !is_blank(c.name) && length <= name_characters_max && within(c.stock, 0, stock_max) &&
         within(c.per_user_limit.value_or(1), 1, stock_max) &&
         within(c.hold_seconds.value_or(1), 1, hold_seconds_max) && within(c.price.value_or(0), 0, price_max);
}

/// Where the units of an order with that status are counted.
std::int64_t& units_of(state& s, order_status status) {
  switch (status) {
    case order_status::reserved:
      return s.reserved;
    case order_status::confirmed:
      return s.sold;
    case order_status::cancelled:
    case order_status::expired:
      return s.available;
  }
  assertion_failed("order_status", __FILE__, __LINE__, "a status without a number");
}

bool holds_units(order_status status) {
  return status == order_status::reserved || status == order_status::confirmed;
}

}  // namespace

result<stock_view> kind::on(const define& c) {
  if (!is_sound(c)) return reject(refusal::bad_definition);
  if (exists() && c.stock != state().initial) {
    return reject(refusal::stock_is_set, "stock was set to " + std::to_string(state().initial) +
                                             " when the SKU was created; use restock to add units");
  }
  const bool is_new = !exists();
  auto& s = edit();
  if (is_new) s.initial = s.available = c.stock;
  s.name = c.name;
  s.per_user_limit = c.per_user_limit;
  s.hold_seconds = c.hold_seconds;
  s.opens_at = c.opens_at;
  s.price = c.price;
  check_balance();
  return view_at(version() + 1);
}

result<stock_view> kind::on(const restock& c) {
  if (!exists()) return reject(refusal::no_such_sku);
  if (!within(c.quantity, 1, stock_max)) return reject(refusal::bad_quantity);
  if (c.quantity > stock_max - state().initial - state().restocked) return reject(refusal::stock_limit);
  auto& s = edit();
  s.restocked += c.quantity;
  s.available += c.quantity;
  check_balance();
  return view_at(version() + 1);
}

// The hot path. Sold out is told before any row is read: in a flash sale it is the answer to most.
result<receipt> kind::on(const place_order& c) {
  if (!exists()) return reject(refusal::no_such_sku);
  if (!within(c.quantity, 1, quantity_max)) return reject(refusal::bad_quantity);
  const auto& opens_at = state().opens_at;
  if (opens_at && now() < *opens_at)
    return reject(refusal::sale_not_open, {}, {{"opensAt", to_rfc3339(*opens_at)}});
  if (c.quantity > state().available) return reject(refusal::sold_out);
  auto bought = buyers().find(c.user).value_or(buyer{});
  if (c.quantity > state().per_user_limit.value_or(stock_max) - bought.units)
    return reject(refusal::limit_reached);

  auto& s = edit();
  const auto arrival = ++s.arrivals;
  order row{.user = c.user, .quantity = c.quantity, .placed_at = now()};
  if (s.hold_seconds) {
    row.status = order_status::reserved;
    row.hold = after(std::chrono::seconds{*s.hold_seconds}, expire_hold{arrival});
  }
  s.available -= c.quantity;
  units_of(s, row.status) += c.quantity;
  bought.units += c.quantity;
  orders().put(arrival, row);
  buyers().put(c.user, bought);
  check_balance();
  tell_agenda(arrival, row);
  return receipt_of(arrival, row);
}

result<receipt> kind::on(const confirm_order& c) {
  auto found = find_order(c.order, c.by);
  if (!found) return reject(refusal::no_such_order);
  if (found->row.status == order_status::confirmed) return receipt_of(found->arrival, found->row);
  if (found->row.status != order_status::reserved) return reject(refusal::order_closed);
  // The timer may be a moment late; the client was told the time, so the time decides.
  if (found->row.hold && now() >= found->row.hold->due) return reject(refusal::hold_expired);
  settle(*found, order_status::confirmed);
  return receipt_of(found->arrival, found->row);
}

result<receipt> kind::on(const cancel_order& c) {
  auto found = find_order(c.order, c.by);
  if (!found) return reject(refusal::no_such_order);
  if (found->row.status == order_status::cancelled) return receipt_of(found->arrival, found->row);
  if (found->row.status == order_status::expired) return reject(refusal::order_closed);
  settle(*found, order_status::cancelled);
  return receipt_of(found->arrival, found->row);
}

result<done> kind::on(const expire_hold& c) {
  auto row = orders().find(c.arrival);
  if (!row || row->status != order_status::reserved) return done{};
  found_order found{c.arrival, *row};
  settle(found, order_status::expired);
  const order_name name{key(), numbered_id(row->placed_at, c.arrival)};
  send<inbox::kind>(to_string(row->user),
                    inbox::notify{.type = "order_expired",
                                  .title = "Your hold has expired",
                                  .body = "The units of " + state().name + " went back on sale.",
                                  .subject = to_string(name)});
  return done{};
}

result<stock_view> kind::on(const get_stock&) const {
  if (!exists()) return reject(refusal::no_such_sku);
  return view_at(version());
}

result<receipt> kind::on(const get_order& q) const {
  const auto found = find_order(q.order, q.by);
  if (!found) return reject(refusal::no_such_order);
  return receipt_of(found->arrival, found->row);
}

result<receipt_page> kind::on(const list_orders& q) const {
  if (!exists()) return reject(refusal::no_such_sku);
  const auto page = orders().list(q.page, scan_order::ascending);
  receipt_page out;
  for (const auto& [arrival, row] : page.rows) out.items.push_back(receipt_of(arrival, row));
  if (!page.next_cursor.empty()) out.next_cursor = page.next_cursor;
  return out;
}

/// The order with that id if the caller may see it: an order of somebody else looks like none.
std::optional<kind::found_order> kind::find_order(const uuid& id, const caller& by) const {
  const auto arrival = number_in(id);
  const auto row = orders().find(arrival);
  if (!row || numbered_id(row->placed_at, arrival) != id || !by.may_act_for(row->user)) return std::nullopt;
  return found_order{arrival, *row};
}

/// Moves an order on, and its units with it.
void kind::settle(found_order& found, order_status next) {
  auto& row = found.row;
  auto& s = edit();
  units_of(s, row.status) -= row.quantity;
  units_of(s, next) += row.quantity;
  if (!holds_units(next)) {
    auto bought = buyers().find(row.user).value_or(buyer{});
    bought.units -= row.quantity;
    TROUPE_ASSERT(bought.units >= 0, "sku/S3: a buyer gives back more than was bought, " + key());
    buyers().put(row.user, bought);
  }
  if (row.hold && next != order_status::expired) cancel(*row.hold);
  row.hold.reset();
  row.status = next;
  orders().put(found.arrival, row);
  check_balance();
  tell_agenda(found.arrival, row);
}

void kind::tell_agenda(std::uint64_t arrival, const order& row) {
  send<agenda::kind>(to_string(row.user), agenda::order_changed{.order = numbered_id(row.placed_at, arrival),
                                                                .sku = key(),
                                                                .quantity = row.quantity,
                                                                .status = row.status});
}

receipt kind::receipt_of(std::uint64_t arrival, const order& row) const {
  receipt out{.sku = key(),
              .order = numbered_id(row.placed_at, arrival),
              .user = row.user,
              .quantity = row.quantity,
              .status = row.status,
              .expires_at = {}};
  if (row.hold) out.expires_at = row.hold->due;
  return out;
}

stock_view kind::view_at(std::uint64_t version) const {
  const auto& s = state();
  return {.sku = key(),
          .name = s.name,
          .available = s.available,
          .reserved = s.reserved,
          .sold = s.sold,
          .initial = s.initial,
          .restocked = s.restocked,
          .sold_out = s.available == 0,
          .per_user_limit = s.per_user_limit,
          .hold_seconds = s.hold_seconds,
          .opens_at = s.opens_at,
          .price = s.price,
          .version = version};
}

void kind::check_balance() const {
  const auto& s = state();
  TROUPE_ASSERT(s.available >= 0, "sku/S1 " + key());
  TROUPE_ASSERT(s.reserved >= 0, "sku/S1 " + key());
  TROUPE_ASSERT(s.sold >= 0, "sku/S1 " + key());
  TROUPE_ASSERT(s.initial + s.restocked == s.available + s.reserved + s.sold, "sku/S1 " + key());
}

}  // namespace troupe::sku
