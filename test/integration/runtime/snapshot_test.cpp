#include <doctest/doctest.h>

#include <future>

#include "runtime/journal/snapshot_source.hpp"
#include "test/integration/runtime/journal_fixture.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

std::vector<std::string> pieces_of(opened& from, shard_id shard) {
  std::promise<std::unique_ptr<shard_image>> image;
  from.log->take_image(shard, [&](std::unique_ptr<shard_image> taken) { image.set_value(std::move(taken)); });
  const snapshot_source source{image.get_future().get(), 500};
  std::vector<std::string> out;
  for (std::uint64_t at = 0; at < source.total(); at += out.back().size())
    out.push_back(source.piece_at(at).value());
  CHECK_FALSE(source.piece_at(1));
  return out;
}

void put_aside(opened& o, std::uint64_t& number, const std::vector<std::string>& pieces) {
  std::uint64_t offset = 0;
  for (const auto& piece : pieces) {
    o.log->write(
        {1, log_write::kind::piece, ++number, offset, 9, std::make_shared<const std::string>(piece), 1});
    offset += piece.size();
  }
  REQUIRE(o.heard.wait_synced(1, number));
}

/// How many rows there are on the first and on the second side, of all shards.
std::pair<int, int> rows_by_side(const opened& o) {
  std::pair<int, int> count;
  o.stored->scan_rows("", "", scan_order::ascending, [&](std::string_view key, std::string_view) {
    ++((key[0] & '\x80') == 0 ? count.first : count.second);
    return true;
  });
  return count;
}

}  // namespace

TEST_CASE(
    "snapshot: what was put aside is gone with a restart, and what was installed is the shard and the old "
    "one goes") {
  const temporary_directory there;
  opened primary{there.path()};
  primary.append(1, 1, 0, 9, std::string(300, 'n'));
  REQUIRE(primary.heard.wait_synced(1, 9));
  primary.log->commit(1, 9, true);
  REQUIRE(primary.heard.wait_applied(1, 9));
  const auto pieces = pieces_of(primary, 1);
  CHECK(pieces.size() > 3);

  const temporary_directory here;
  std::uint64_t number = 100;
  {
    opened o{here.path()};
    o.append(1, 1, 0, 3, "old");
    REQUIRE(o.heard.wait_synced(1, 3));
    o.log->commit(1, 3, true);
    REQUIRE(o.heard.wait_applied(1, 3));
    put_aside(o, number, pieces);
    CHECK(rows_by_side(o) == std::pair{3, 9});
    CHECK(o.row(1, "row1") == "old");
  }
  {
    opened o{here.path()};
    CHECK(rows_by_side(o) == std::pair{3, 0});
    o.append(1, 4, 1, 2, "old, and not committed");
    put_aside(o, number, pieces);
    o.log->write({1, log_write::kind::install, ++number, 0, 9, {}, 1});
    REQUIRE(o.heard.wait_synced(1, number));
    REQUIRE(o.heard.wait_applied(1, 9));
    CHECK(o.row(1, "row1") == std::string(300, 'n'));
    CHECK(o.row(1, "row9") == std::string(300, 'n'));
    CHECK(o.log->read(1, 4, 9, 1000).empty());
  }
  opened o{here.path()};
  REQUIRE_FALSE(o.fault);
  CHECK(rows_by_side(o) == std::pair{0, 9});
  CHECK(o.found[1].applied == 9);
  CHECK(o.found[1].last == 9);
  CHECK(o.found[1].history == epoch_history{{1, 1}});
  // It goes on behind the snapshot, which can be given on.
  o.append(1, 10, 1, 1, "new");
  REQUIRE(o.heard.wait_synced(1, 10));
  o.log->commit(1, 10, true);
  REQUIRE(o.heard.wait_applied(1, 10));
  CHECK(o.row(1, "row10") == "new");
  CHECK(pieces_of(o, 1).size() >= pieces.size());
}

TEST_CASE("snapshot: an entry that is not committed holds up no image, also after a restart") {
  const temporary_directory here;
  {
    opened o{here.path()};
    o.append(1, 1, 0, 3, "applied");
    REQUIRE(o.heard.wait_synced(1, 3));
    o.log->commit(1, 3, true);
    REQUIRE(o.heard.wait_applied(1, 3));
    o.append(1, 4, 1, 2, "not committed");
    REQUIRE(o.heard.wait_synced(1, 5));
  }
  opened o{here.path()};
  std::promise<std::uint64_t> image;
  o.log->take_image(
      1, [&](const std::unique_ptr<shard_image>& taken) { image.set_value(taken->applied().index); });
  auto got = image.get_future();
  REQUIRE(got.wait_for(std::chrono::seconds{10}) == std::future_status::ready);
  CHECK(got.get() == 3);
}
