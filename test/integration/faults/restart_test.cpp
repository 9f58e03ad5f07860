#include <doctest/doctest.h>

#include "test/integration/faults/life.hpp"
#include "test/integration/faults/powercut_disk.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;
using namespace troupe::faults;

TEST_CASE(
    "restart: the store opens again wherever its write-ahead logs end, also behind a life that wrote "
    "nothing") {
  const script plan{4, 300};
  const test::temporary_directory disk;
  const auto file_system = std::make_shared<powercut_disk>(disk.path());
  std::vector<std::uint64_t> ends(script::shards, 0);
  for (std::uint32_t n = 1; n <= 180; ++n) {
    CAPTURE(n);
    auto begun = life::begin(disk.path() + "/data", file_system);
    if (const auto* fault = std::get_if<store_error>(&begun)) FAIL(fault->message);
    auto& alive = *std::get<std::unique_ptr<life>>(begun);
    CHECK(alive.ends() == ends);
    if (n % 3 == 0) alive.run(plan, n, 4);
    ends = alive.ends();
  }
  auto begun = life::begin(disk.path() + "/data", file_system);
  REQUIRE(std::holds_alternative<std::unique_ptr<life>>(begun));
  CHECK(compare(std::get<std::unique_ptr<life>>(begun)->stored(), plan, ends) == "");
}

TEST_CASE("restart: a write-ahead log that a life began and never used is not taken for a lost one") {
  const test::temporary_directory disk;
  store_options options;
  options.directory = disk.path() + "/data";
  options.disk = std::make_shared<powercut_disk>(disk.path());
  const auto open = [&] {
    auto opened = store::open(options);
    if (const auto* fault = std::get_if<store_error>(&opened)) FAIL(fault->message);
    return std::move(std::get<std::unique_ptr<store>>(opened));
  };
  {
    // More than a process lets its logs grow to, less than what fills a memtable: the next one's first write
    // begins another log.
    const auto stored = open();
    store_batch batch;
    batch.put_row("a row", std::string(29U << 20U, 'r'));
    batch.put_frame(1, std::string(29U << 20U, 'f'));
    batch.put_reply(0, "0123456789abcdef", std::string(7U << 20U, 'a'));
    stored->write(batch, store::durability::synced);
  }
  CHECK(open()->epoch() == 2);
  const auto stored = open();
  CHECK(stored->epoch() == 3);
  CHECK(stored->get_row("a row") == std::string(29U << 20U, 'r'));
}
