#include "cluster/authority/fresh_uuid.hpp"

#include <random>

#include "runtime/base/clock.hpp"

namespace troupe {

uuid fresh_uuid() {
  std::random_device entropy;
  const auto word = [&] { return std::uint64_t{entropy()} << 32U | entropy(); };
  return make_uuid_v7(system_clock{}.wall(), word(), word());
}

}  // namespace troupe
