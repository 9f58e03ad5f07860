#include "actors/kinds.hpp"

#include "actors/agenda/agenda.hpp"
#include "actors/agenda/routes.hpp"
#include "actors/inbox/inbox.hpp"
#include "actors/inbox/routes.hpp"
#include "actors/sku/routes.hpp"
#include "actors/sku/sku.hpp"
#include "actors/task/routes.hpp"
#include "actors/task/task.hpp"

namespace troupe {

kind_registry all_kinds() {
  std::vector<kind_descriptor> kinds;
  kinds.push_back(describe_kind<sku::kind>());
  kinds.push_back(describe_kind<task::kind>());
  kinds.push_back(describe_kind<inbox::kind>());
  kinds.push_back(describe_kind<agenda::kind>());
  return kind_registry{std::move(kinds)};
}

std::vector<route_block> all_routes() {
  return {sku::routes(), task::routes(), inbox::routes(), agenda::routes()};
}

}  // namespace troupe
