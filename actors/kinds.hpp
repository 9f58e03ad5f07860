#pragma once

#include <vector>

#include "runtime/entity/kind.hpp"
#include "runtime/entity/route.hpp"

namespace troupe {

/// Every kind of this product. Numbers: sku 1, task 2, inbox 3, agenda 4.
kind_registry all_kinds();
/// Their routes and refusals, one block a kind.
std::vector<route_block> all_routes();

}  // namespace troupe
