#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "cluster/node/identity.hpp"
#include "runtime/base/hash.hpp"
#include "test/support/damage.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;

namespace {

struct directory {
  std::string file() const { return where.path() + "/member"; }
  std::string text() const {
    std::ifstream in{file()};
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
  }
  void write(const std::string& text) const { std::ofstream{file()} << text; }
  auto load(const std::string& name = "n1") const { return load_identity(where.path(), name); }
  identity get() const {
    auto found = load();
    REQUIRE(std::holds_alternative<identity>(found));
    return std::get<identity>(found);
  }
  std::string refusal(const std::string& name = "n1") const {
    const auto found = load(name);
    const auto* fault = std::get_if<store_error>(&found);
    return fault != nullptr ? fault->message : "";
  }

  test::temporary_directory where;
};

const uuid some_cluster = *parse_uuid("01890000-0000-7000-8000-00000000000a");

}  // namespace

TEST_CASE("identity: what was written is read back, and a new directory is a new disk") {
  const directory here;
  const directory other;
  auto mine = here.get();
  CHECK(mine.cluster.is_nil());
  CHECK(mine.registered_start.is_nil());
  CHECK(mine.pending_start.is_nil());
  CHECK(other.get().disk != mine.disk);
  mine.cluster = some_cluster;
  const auto start = mine.begin_start();
  REQUIRE_FALSE(save_identity(here.where.path(), mine));
  const auto again = here.get();
  CHECK(again.disk == mine.disk);
  CHECK(again.cluster == some_cluster);
  CHECK(again.registered_start.is_nil());
  CHECK(again.pending_start == start);
  CHECK(here.refusal("n2").find("belongs to the node `n1`, not to `n2`") != std::string::npos);
}

TEST_CASE("identity: a start that may have been registered is taken again, until one is known to be") {
  const directory here;
  auto mine = here.get();
  mine.cluster = some_cluster;
  const auto first = mine.begin_start();
  REQUIRE_FALSE(save_identity(here.where.path(), mine));
  // However many processes die before they know.
  for (int i = 0; i < 100; ++i) {
    mine = here.get();
    CHECK(mine.begin_start() == first);
    REQUIRE_FALSE(save_identity(here.where.path(), mine));
  }
  mine.confirm_start();
  REQUIRE_FALSE(save_identity(here.where.path(), mine));
  mine = here.get();
  CHECK(mine.registered_start == first);
  CHECK(mine.pending_start.is_nil());
  CHECK(mine.begin_start() != first);
  CHECK(mine.registered_start == first);
}

TEST_CASE("identity: a file with any bit changed, or cut anywhere, is refused untouched") {
  const directory here;
  auto mine = here.get();
  mine.cluster = some_cluster;
  mine.begin_start();
  REQUIRE_FALSE(save_identity(here.where.path(), mine));
  const auto good = here.text();
  const auto is_refused = [&](const std::string& damaged) {
    here.write(damaged);
    return !here.refusal().empty() && here.text() == damaged;
  };
  test::for_each_flipped_bit(good, [&](const std::string& damaged, std::size_t bit) {
    if (!is_refused(damaged)) FAIL_CHECK("bit " << bit);
  });
  test::for_each_cut(good, [&](const std::string& damaged, std::size_t length) {
    if (!is_refused(damaged)) FAIL_CHECK("length " << length);
  });
}

TEST_CASE("identity: a file of the first format is read, and which starts there were is not known") {
  const directory here;
  here.write(
      "troupe member 1\ncluster 01890000-0000-7000-8000-00000000000a\n"
      "disk 01890000-0000-7000-8000-00000000000b\nnode n1\n");
  auto mine = here.get();
  CHECK(mine.cluster == some_cluster);
  CHECK_FALSE(mine.knows_starts);
  const auto start = mine.begin_start();
  // Until one of them is registered.
  REQUIRE_FALSE(save_identity(here.where.path(), mine));
  mine = here.get();
  CHECK_FALSE(mine.knows_starts);
  CHECK(mine.begin_start() == start);
  mine.confirm_start();
  REQUIRE_FALSE(save_identity(here.where.path(), mine));
  CHECK(here.get().knows_starts);
  CHECK(here.get().registered_start == start);
}

TEST_CASE("identity: a file of the second format is read, and the first run on its disk is not known") {
  const directory here;
  std::string text =
      "troupe member 2\ncluster 01890000-0000-7000-8000-00000000000a\n"
      "disk 01890000-0000-7000-8000-00000000000b\nnode n1\n"
      "starts 01890000-0000-7000-8000-00000000000c 00000000-0000-0000-0000-000000000000";
  text += fmt::format("\nhash {:016x}\n", stable_hash(text));
  here.write(text);
  auto mine = here.get();
  CHECK(mine.cluster == some_cluster);
  CHECK(mine.knows_starts);
  CHECK(mine.disk_since == 0);
  mine.disk_since = 77;
  REQUIRE_FALSE(save_identity(here.where.path(), mine));
  CHECK(here.get().disk_since == 77);
}
