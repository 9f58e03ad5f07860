#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/uuid.hpp"

namespace troupe::sku {

/// Names of SKUs: [A-Za-z0-9][A-Za-z0-9_-]{0,63}. The name is the key of the entity.
bool is_sku_name(std::string_view text);

/// The name of an order, `<sku>.<uuid>`: it says which SKU to ask, so no lookup is needed.
struct order_name {
  std::string sku{};
  uuid id{};
  friend auto operator<=>(const order_name&, const order_name&) = default;
};
std::string to_string(const order_name& name);
std::optional<order_name> parse_order_name(std::string_view text);

}  // namespace troupe::sku
