#pragma once

#include "runtime/base/uuid.hpp"
#include "runtime/entity/describe.hpp"

namespace troupe {

/// On whose behalf a command runs, as the edge authenticated it. Part of a command only where the entity
/// itself has to decide who may do what.
struct caller {
  user_id user;
  bool is_admin = false;
  friend auto operator<=>(const caller&, const caller&) = default;

  bool may_act_for(const user_id& owner) const { return is_admin || user == owner; }
};
TROUPE_DESCRIBE(caller, user, is_admin)

}  // namespace troupe
