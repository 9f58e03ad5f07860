#pragma once

#include "runtime/entity/route.hpp"

namespace troupe::sku {

route_block routes();

}  // namespace troupe::sku
