#include "actors/sku/routes.hpp"

#include "actors/route_parts.hpp"
#include "actors/sku/names.hpp"
#include "actors/sku/sku.hpp"
#include "runtime/base/text.hpp"

namespace troupe::sku {
namespace {

constexpr problem_kind no_such_sku{404, "no-such-sku", "There is no such SKU",
                                   "Nothing is sold under that name."};
constexpr problem_kind no_such_order{404, "no-such-order", "There is no such order",
                                     "The order does not exist or belongs to somebody else."};

struct quantity_body {
  std::int64_t quantity = 0;
};
TROUPE_DESCRIBE(quantity_body, quantity)

struct order_body {
  std::string sku;
  std::int64_t quantity = 0;
};
TROUPE_DESCRIBE(order_body, sku, quantity)

template <class Message>
bound to_sku(const std::string& sku, const Message& message) {
  if (!is_sku_name(sku)) return unrouted{no_such_sku, "no SKU can have that name"};
  return to<kind>(sku, message);
}

/// A message to the order in the path, whose id names its SKU.
template <class Message>
bound to_order(route_request& in, const boost::json::value*) {
  const auto name = parse_order_name(in.param("id"));
  if (!name) return unrouted{no_such_order, "no order can have that id"};
  return to<kind>(name->sku, Message{.order = name->id, .by = caller_of(in)});
}

void require_within(route_request& in, std::optional<std::int64_t> value, std::string_view pointer,
                    std::int64_t lowest, std::int64_t highest) {
  if (!value || (*value >= lowest && *value <= highest)) return;
  in.error(std::string{pointer}, "must be from " + std::to_string(lowest) + " to " + std::to_string(highest));
}

bound bind_define(route_request& in, const boost::json::value* body) {
  if (!is_sku_name(in.param("sku"))) {
    in.error("sku", "must be 1 to 64 letters, digits, '-' or '_', and begin with a letter or digit");
  }
  const auto message = read_body<define>(in, body);
  const auto length = count_characters(message.name);
  in.require(length <= name_characters_max, "/name", "must be at most 200 characters");
  in.require(!is_blank(message.name) || !in.errors.empty(), "/name", "must not be blank");
  require_within(in, message.stock, "/stock", 0, stock_max);
  require_within(in, message.per_user_limit, "/perUserLimit", 1, stock_max);
  require_within(in, message.hold_seconds, "/holdSeconds", 1, hold_seconds_max);
  require_within(in, message.price, "/price", 0, price_max);
  return to_sku(in.param("sku"), message);
}

bound bind_restock(route_request& in, const boost::json::value* body) {
  const auto wanted = read_body<quantity_body>(in, body);
  if (in.errors.empty()) require_within(in, wanted.quantity, "/quantity", 1, stock_max);
  return to_sku(in.param("sku"), restock{wanted.quantity});
}

bound bind_place_order_at_sku(route_request& in, const boost::json::value* body) {
  const auto wanted = read_body<quantity_body>(in, body);
  if (in.errors.empty()) require_within(in, wanted.quantity, "/quantity", 1, quantity_max);
  return to_sku(in.param("sku"), place_order{in.who.user, wanted.quantity});
}

bound bind_place_order(route_request& in, const boost::json::value* body) {
  const auto wanted = read_body<order_body>(in, body);
  if (in.errors.empty()) require_within(in, wanted.quantity, "/quantity", 1, quantity_max);
  return to_sku(wanted.sku, place_order{in.who.user, wanted.quantity});
}

bound bind_get_stock(route_request& in, const boost::json::value*) {
  return to_sku(in.param("sku"), get_stock{});
}

bound bind_list_orders(route_request& in, const boost::json::value*) {
  return to_sku(in.param("sku"), list_orders{in.page()});
}

order_view view_of(const receipt& r) {
  return {.order_id = to_string(order_name{r.sku, r.order}),
          .sku = r.sku,
          .user_id = r.user,
          .quantity = r.quantity,
          .status = r.status,
          .arrival = r.arrival(),
          .placed_at = time_in(r.order),
          .expires_at = r.expires_at};
}

/// An order is a row of its SKU; its status number is its version (sku/S5).
rendered render_order(std::string_view reply, const route_request& in, std::string& out) {
  std::string location = "/orders/";
  order_status status{};
  auto about = render_view<receipt>(reply, in, out, [&](const receipt& r) {
    auto view = view_of(r);
    location += view.order_id;
    status = view.status;
    return view;
  });
  about.location = std::move(location);
  about.version = static_cast<std::uint64_t>(status);
  return about;
}

rendered render_orders(std::string_view reply, const route_request& in, std::string& out) {
  return render_view<receipt_page>(reply, in, out, [](receipt_page&& page) {
    order_page view{.items = {}, .next_cursor = std::move(page.next_cursor)};
    for (const auto& r : page.items) view.items.push_back(view_of(r));
    return view;
  });
}

problem_kind problem_of(std::uint16_t code) {
  switch (static_cast<refusal>(code)) {
    case refusal::no_such_sku:
      return no_such_sku;
    case refusal::bad_definition:
      return {
          400, "bad-sku", "The SKU's fields are out of range",
          "A name has 1 to 200 characters, not all of them blank; numbers have to be within their bounds."};
    case refusal::stock_is_set:
      return {409, "stock-is-set", "The stock of an existing SKU changes by restock only",
              "`stock` is what the SKU began with; send that, or add units with restock."};
    case refusal::bad_quantity:
      return {400, "bad-quantity", "The quantity is out of range", "An order takes 1 to 1000000 units."};
    case refusal::stock_limit:
      return {409, "stock-limit", "The SKU cannot hold that many units",
              "All units that a SKU ever had are 1000000000000 at most."};
    case refusal::sale_not_open:
      return {409, "sale-not-open", "The sale has not opened yet", "Orders are taken from `opensAt` on."};
    case refusal::sold_out:
      return {409, "sold-out", "Not that many units are available",
              "Fewer units are left than were asked for; nothing was reserved."};
    case refusal::limit_reached:
      return {409, "limit-reached", "The limit of units a user is reached",
              "With this order the user would have more units than one user may buy."};
    case refusal::no_such_order:
      return no_such_order;
    case refusal::order_closed:
      return {409, "order-closed", "The order was cancelled or its hold expired",
              "The order has come to its end; place another one."};
    case refusal::hold_expired:
      return {409, "hold-expired", "The hold of the order has expired",
              "The order was not confirmed in time; its units go back on sale."};
  }
  return unknown_refusal;
}

}  // namespace

route_block routes() {
  using enum http_method;
  return {
      .kind = kind::options.id,
      .routes =
          {
              {.method = put,
               .path = "/api/v1/skus/{sku}",
               .level = access::admin,
               .created_status = 201,
               .summary = "Create a SKU, or change all of it but its stock",
               .etag = true,
               .has_body = true,
               .bind = bind_define,
               .render = render_as<stock_view>},
              {.method = get,
               .path = "/api/v1/skus/{sku}",
               .level = access::anyone,
               .summary = "The stock of a SKU",
               .etag = true,
               .bind = bind_get_stock,
               .render = render_as<stock_view>},
              {.method = post,
               .path = "/api/v1/skus/{sku}/restock",
               .level = access::admin,
               .key = key_rule::optional,
               .summary = "Add units to a SKU",
               .has_body = true,
               .bind = bind_restock,
               .render = render_as<stock_view>},
              {.method = post,
               .path = "/api/v1/skus/{sku}/orders",
               .key = key_rule::required,
               .success_status = 201,
               .summary = "Order units of this SKU",
               .has_body = true,
               .bind = bind_place_order_at_sku,
               .render = render_order},
              {.method = get,
               .path = "/api/v1/skus/{sku}/orders",
               .level = access::admin,
               .summary = "All orders of a SKU by arrival",
               .bind = bind_list_orders,
               .render = render_orders},
              {.method = post,
               .path = "/api/v1/orders",
               .key = key_rule::required,
               .success_status = 201,
               .summary = "Order units of a SKU",
               .has_body = true,
               .bind = bind_place_order,
               .render = render_order},
              {.method = get,
               .path = "/api/v1/orders/{id}",
               .summary = "One order",
               .bind = to_order<get_order>,
               .render = render_order},
              {.method = post,
               .path = "/api/v1/orders/{id}/confirm",
               .key = key_rule::optional,
               .summary = "Confirm a reserved order",
               .bind = to_order<confirm_order>,
               .render = render_order},
              {.method = post,
               .path = "/api/v1/orders/{id}/cancel",
               .key = key_rule::optional,
               .summary = "Cancel an order; its units go back on sale",
               .bind = to_order<cancel_order>,
               .render = render_order},
          },
      .problem_of = problem_of,
  };
}

}  // namespace troupe::sku
