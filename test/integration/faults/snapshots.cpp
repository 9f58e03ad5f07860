#include "test/integration/faults/snapshots.hpp"

#include "runtime/base/assert.hpp"
#include "test/integration/faults/powercut_disk.hpp"
#include "test/support/temporary_directory.hpp"

namespace troupe::faults {

std::vector<snapshot> snapshots_of(const script& plan) {
  const test::temporary_directory disk;
  auto begun = life::begin(disk.path() + "/data", std::make_shared<powercut_disk>(disk.path()));
  TROUPE_ASSERT(std::holds_alternative<std::unique_ptr<life>>(begun), "no life to take snapshots of");
  auto& alive = *std::get<std::unique_ptr<life>>(begun);
  std::vector<snapshot> out;
  constexpr std::uint64_t times = 8;
  for (std::uint64_t n = 1; n < times; ++n)
    for (auto& one : alive.take_snapshots(plan, n * plan.length() / times)) out.push_back(std::move(one));
  return out;
}

}  // namespace troupe::faults
