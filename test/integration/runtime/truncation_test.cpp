#include <doctest/doctest.h>

#include <filesystem>

#include "test/integration/runtime/journal_fixture.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

/// Writes are numbered by hand here, because a truncation takes indexes back.
struct numbered_writes {
  opened& to;
  std::uint64_t number = 0;

  void entries(shard_id shard, std::uint64_t first, int count, std::uint64_t epoch,
               std::uint64_t previous_epoch, const std::string& value) {
    chunk_writer chunk{shard};
    chunk.begin(first, epoch, previous_epoch);
    for (int i = 0; i < count; ++i)
      chunk.add(entry_writing("row" + std::to_string(first + static_cast<std::uint64_t>(i)), value));
    to.log->write({shard, log_write::kind::entries, ++number, first,
                   first + static_cast<std::uint64_t>(count) - 1,
                   std::make_shared<const std::string>(chunk.take()), 1});
  }
  void cut(shard_id shard, std::uint64_t first) {
    to.log->write({shard, log_write::kind::truncation, ++number, first, 0, {}, 1});
  }
  void meta(shard_id shard, const std::string& bytes) {
    to.log->write(
        {shard, log_write::kind::meta, ++number, 0, 0, std::make_shared<const std::string>(bytes), 1});
  }
  void wait(shard_id shard) { REQUIRE(to.heard.wait_synced(shard, number)); }
};

}  // namespace

TEST_CASE("journal: entries that were cut off are never applied, in this life or the next") {
  for (const bool restarts : {false, true}) {
    CAPTURE(restarts);
    const temporary_directory directory;
    auto life = std::make_unique<opened>(directory.path());
    {
      numbered_writes writes{*life};
      writes.entries(1, 1, 4, 1, 0, "first");
      writes.entries(1, 5, 3, 1, 1, "first");
      writes.entries(1, 8, 2, 2, 1, "first");
      writes.wait(1);
      // Inside a chunk, below a whole one and one of a later epoch.
      writes.cut(1, 3);
      writes.entries(1, 3, 2, 3, 1, "second");
      writes.wait(1);
    }
    if (restarts) {
      life.reset();
      life = std::make_unique<opened>(directory.path());
      REQUIRE_FALSE(life->fault);
      CHECK(life->found[1].applied == 0);
      CHECK(life->found[1].last == 4);
      CHECK(life->found[1].history == epoch_history{{1, 1}, {3, 3}});
    }
    life->log->commit(1, 4, true);
    REQUIRE(life->heard.wait_applied(1, 4));
    CHECK(life->row(1, "row2") == "first");
    CHECK(life->row(1, "row3") == "second");
    CHECK(life->row(1, "row4") == "second");
    CHECK(life->row(1, "row5") == std::nullopt);
    life.reset();
    const opened last{directory.path()};
    REQUIRE_FALSE(last.fault);
    CHECK(last.found[1].applied == 4);
    CHECK(last.found[1].history == epoch_history{{1, 1}, {3, 3}});
  }
}

TEST_CASE("journal: a log that begins with entries that were cut off later opens again") {
  // Another shard's entries are not applied, so their frame and all behind it stay. Before it were the
  // entries that what is left followed: right behind the applied one, and further on.
  for (const std::uint64_t first_left : {3U, 4U}) {
    CAPTURE(first_left);
    const temporary_directory directory;
    journal_options options;
    options.trim_bytes = 1;
    {
      opened o{directory.path(), options};
      numbered_writes writes{o};
      writes.entries(1, 1, static_cast<int>(first_left) - 1, 1, 0, "cut");
      writes.wait(1);
      numbered_writes others{o};
      others.entries(2, 1, 1, 1, 0, "not committed");
      others.wait(2);
      writes.entries(1, first_left, 2, 1, 1, "cut");
      writes.cut(1, 1);
      writes.entries(1, 1, 2, 2, 0, "kept");
      writes.wait(1);
      o.log->commit(1, 2, true);
      REQUIRE(o.heard.wait_applied(1, 2));
      writes.entries(1, 3, 1, 2, 2, "kept");
      writes.wait(1);
      writes.meta(1, "a round behind the trimming");
      writes.wait(1);
    }
    opened again{directory.path()};
    if (again.fault) FAIL(again.fault->message);
    CHECK(again.found[1].applied == 2);
    CHECK(again.found[1].last == 3);
    CHECK(again.found[1].history == epoch_history{{2, 1}});
    again.log->commit(1, 3, true);
    REQUIRE(again.heard.wait_applied(1, 3));
    CHECK(again.row(1, "row3") == "kept");
    CHECK(again.row(1, "row4") == std::nullopt);
  }
}

TEST_CASE("journal: a log that was cut below its mark is not taken for one that the disk has lost") {
  const temporary_directory directory;
  journal_options options;
  options.mark_interval = std::chrono::milliseconds{1};
  {
    opened o{directory.path(), options};
    numbered_writes writes{o};
    writes.entries(1, 1, 9, 1, 0, "a value");
    writes.wait(1);
    writes.entries(2, 1, 1, 1, 0, "a later round, with a mark of the one before");
    writes.wait(2);
    writes.cut(1, 2);
    writes.wait(1);
    CHECK(sync_mark::read(directory.path()).ends.at(1) <= 1);
  }
  const opened again{directory.path()};
  REQUIRE_FALSE(again.fault);
  CHECK(again.found[1].last == 1);
}

TEST_CASE("journal: what the replica keeps beside its log is there after a restart") {
  const temporary_directory directory;
  {
    opened o{directory.path()};
    CHECK(o.found[2].meta.empty());
    numbered_writes writes{o};
    writes.meta(2, "older");
    writes.entries(2, 1, 1, 1, 0, "a value");
    writes.meta(2, "newer");
    writes.wait(2);
  }
  const opened again{directory.path()};
  CHECK(again.found[2].meta == "newer");
  CHECK(again.found[1].meta.empty());
}

TEST_CASE("store: one that lost its CURRENT file is refused and left alone") {
  const temporary_directory directory;
  {
    opened o{directory.path()};
    o.append(1, 1, 0, 3, "a value");
    REQUIRE(o.heard.wait_synced(1, 3));
  }
  const auto current = directory.path() + "/store/CURRENT";
  std::filesystem::rename(current, directory.path() + "/aside");
  {
    const opened refused{directory.path()};
    REQUIRE(refused.fault);
    CHECK(refused.fault->what == store_error::code::corrupt);
    CHECK_FALSE(std::filesystem::exists(current));
  }
  std::filesystem::rename(directory.path() + "/aside", current);
  const opened again{directory.path()};
  REQUIRE_FALSE(again.fault);
  CHECK(again.found[1].last == 3);
}
