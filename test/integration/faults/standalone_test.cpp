#include <doctest/doctest.h>

#include "test/integration/faults/powercut_disk.hpp"
#include "test/integration/faults/recording.hpp"
#include "test/integration/faults/served_life.hpp"
#include "test/integration/faults/stride.hpp"
#include "test/support/temporary_directory.hpp"

/// What `serve` keeps in a data directory, the authority's file, the replicas' records and the logs, belongs
/// together wherever the power goes.
namespace {

using namespace troupe;
using namespace troupe::faults;

const std::vector<std::uint64_t> nothing(served_life::shards, 0);

/// What is wrong with the disk under `root`; empty: nothing.
std::string reopen(const std::string& root, const playback& then) {
  auto begun = served_life::begin(root + "/data", std::make_shared<powercut_disk>(root));
  if (const auto* fault = std::get_if<store_error>(&begun)) return "refused: " + fault->message;
  const auto& alive = *std::get<std::unique_ptr<served_life>>(begun);
  if (alive.epoch() <= then.epoch) return "epoch " + std::to_string(alive.epoch()) + " was served before";
  for (std::size_t shard = 0; shard < served_life::shards; ++shard) {
    if (alive.ends()[shard] < then.acknowledged[shard]) return "acknowledged and not there";
    if (alive.ends()[shard] > then.appended[shard]) return "there and never appended";
  }
  return {};
}

}  // namespace

TEST_CASE(
    "standalone: wherever the power goes, it starts again, in a new epoch, with everything acknowledged") {
  const test::temporary_directory disk;
  const auto recorded =
      record(disk.path(), [&](const std::string& directory, auto file_system, life_events events) {
        for (std::uint32_t n = 1; n <= 10; ++n) {
          auto begun = served_life::begin(directory, file_system, events);
          REQUIRE(std::holds_alternative<std::unique_ptr<served_life>>(begun));
          std::get<std::unique_ptr<served_life>>(begun)->run(n, 8);
        }
      });
  const auto stride = stride_for(recorded.changes(), 120);
  playback then{recorded, nothing};
  std::mt19937 random{23};
  std::size_t points = 0;
  while (then.next()) {
    if (then.at() % stride != 0) continue;
    ++points;
    CAPTURE(then.at());
    CAPTURE(std::string{to_string(then.last().what)});
    CAPTURE(then.last().path);
    then.disk().power_cut(random).write_to(disk.path());
    const auto fault = reopen(disk.path(), then);
    if (!fault.empty()) FAIL_CHECK(fault);
  }
  CHECK(points > 0);
  MESSAGE(points << " power cuts of " << recorded.changes() << " points");
}
