#pragma once

#include "runtime/entity/route.hpp"

namespace troupe::task {

route_block routes();

}  // namespace troupe::task
