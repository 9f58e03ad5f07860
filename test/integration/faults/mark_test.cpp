#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "runtime/store/sync_mark.hpp"
#include "test/integration/faults/powercut_disk.hpp"
#include "test/integration/faults/recording.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;
using namespace troupe::faults;

namespace {

/// Two that may get lost, and one that may not.
void go_on(sync_mark& mark, std::uint64_t n) {
  for (auto value = 3 * n - 2; value < 3 * n; ++value) mark.note({{value, 2 * value}, 0});
  mark.write({{3 * n, 6 * n}, 3 * n});
}

/// What the file said when it was last synced.
std::uint64_t promised_by(const std::string& mark) {
  const test::temporary_directory disk;
  std::ofstream{disk.path() + "/mark"} << mark;
  const auto found = sync_mark::read(disk.path()).ends;
  return found.empty() ? 0 : found.front();
}

}  // namespace

TEST_CASE(
    "mark: a write that power cuts short, the first after a start too, leaves the newest one before it") {
  // With an odd number of marks before the restart the newest is in one slot, with an even number in the
  // other.
  for (std::uint64_t before = 1; before <= 4; ++before) {
    CAPTURE(before);
    const test::temporary_directory disk;
    std::filesystem::create_directory(disk.path() + "/data");
    const auto recorded =
        record(disk.path(), [&](const std::string& directory, auto file_system, life_events) {
          {
            sync_mark mark{directory, file_system};
            for (std::uint64_t n = 1; n <= before; ++n) go_on(mark, n);
          }
          sync_mark again{directory, file_system};
          for (std::uint64_t n = before + 1; n <= before + 3; ++n) go_on(again, n);
        });
    playback then{recorded, {}};
    std::mt19937 random{7};
    std::uint64_t promised = 0;
    while (then.next()) {
      CAPTURE(then.at());
      if (then.last().what == disk_step::action::sync) promised = promised_by(then.mark);
      for (int tries = 0; tries < 20; ++tries) {
        then.disk().power_cut(random).write_to(disk.path());
        const auto found = sync_mark::read(disk.path() + "/data").ends;
        if (promised == 0) continue;
        REQUIRE(found.size() == 2);
        CHECK(found[0] >= promised);
        CHECK(found[1] == 2 * found[0]);
      }
    }
    CHECK(promised == 3 * (before + 3));
  }
}
