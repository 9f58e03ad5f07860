#pragma once

#include "runtime/entity/route.hpp"

namespace troupe::agenda {

route_block routes();

}  // namespace troupe::agenda
