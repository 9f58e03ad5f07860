#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cluster/history/operation.hpp"
#include "runtime/base/random.hpp"

namespace troupe::test {

/// One way to spoil a history such that no correct cluster could have shown it.
struct corruption {
  std::string name;
  /// False: this history has nothing that could be spoiled so.
  std::function<bool(history::recorded_history&, id_source&)> strike;
};
const std::vector<corruption>& corruptions();

/// Changes any field of any operation or entry a little; the result may still be legal.
void damage_anything(history::recorded_history& h, id_source& random);

}  // namespace troupe::test
