#pragma once

#include <array>
#include <cstdint>

#include "test/simulation/scenario.hpp"

namespace troupe::simulation {

constexpr std::size_t node_max = 5;

/// The state of the links between nodes: until when each directed link is cut, and how bad the weather is.
struct network {
  std::array<std::array<instant, node_max>, node_max> cut_until{};
  std::array<instant, node_max> clogged_until{};       // messages to the node arrive when that is over
  std::array<instant, node_max> clogged_from_until{};  // messages of the node leave when that is over
  std::array<instant, node_max> clients_cut_until{};
  instant lossy_until = 0;
  instant delayed_until = 0;
  instant corrupting_until = 0;
};

}  // namespace troupe::simulation
