#pragma once

#include "runtime/entity/route.hpp"

namespace troupe::inbox {

route_block routes();

}  // namespace troupe::inbox
