#include <doctest/doctest.h>

#include "test/integration/runtime/journal_fixture.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

struct range {
  std::uint64_t first, last, epoch, previous_epoch;
  friend bool operator==(const range&, const range&) = default;
};

/// Checks every chunk as a backup would, and that they follow each other.
std::vector<range> read(const opened& o, shard_id shard, std::uint64_t first, std::uint64_t last,
                        std::size_t bytes_max = 1U << 20U) {
  std::vector<range> out;
  chunk_view chunk;
  for (const auto& one : o.log->read(shard, first, last, bytes_max)) {
    REQUIRE(decode_chunk(shard, one.first_index, *one.bytes, chunk));
    CHECK(one.first_index == first);
    CHECK(chunk.last_index() == one.last_index);
    CHECK(chunk.epoch == one.epoch);
    CHECK(chunk.previous_epoch == one.previous_epoch);
    out.push_back({one.first_index, one.last_index, one.epoch, one.previous_epoch});
    first = one.last_index + 1;
  }
  return out;
}

void write(opened& o, std::uint64_t& number, std::uint64_t first, int count, std::uint64_t epoch,
           std::uint64_t previous_epoch, const std::string& value = "value") {
  chunk_writer chunk{1};
  chunk.begin(first, epoch, previous_epoch);
  for (int i = 0; i < count; ++i) chunk.add(entry_writing("row" + std::to_string(i), value));
  o.log->write({1, log_write::kind::entries, ++number, first, first + static_cast<std::uint64_t>(count) - 1,
                std::make_shared<const std::string>(chunk.take()), 1});
}

}  // namespace

TEST_CASE("log history: entries are read back as they were written, without what was cut off") {
  const temporary_directory directory;
  const std::vector<range> expected{{1, 2, 1, 0}, {3, 4, 3, 1}, {5, 5, 3, 3}};
  {
    opened o{directory.path()};
    std::uint64_t number = 0;
    write(o, number, 1, 4, 1, 0);
    write(o, number, 5, 2, 2, 1);
    o.log->write({1, log_write::kind::truncation, ++number, 3, 0, {}, 1});
    write(o, number, 3, 2, 3, 1);
    write(o, number, 5, 1, 3, 3);
    REQUIRE(o.heard.wait_synced(1, number));
    CHECK(read(o, 1, 1, 99) == expected);
    CHECK(read(o, 1, 2, 4) == std::vector<range>{{2, 2, 1, 1}, {3, 4, 3, 1}});
    CHECK(read(o, 1, 4, 4) == std::vector<range>{{4, 4, 3, 3}});
    CHECK(read(o, 1, 6, 99).empty());
    CHECK(read(o, 2, 1, 99).empty());
    // One entry at least, however small the room is.
    CHECK(read(o, 1, 1, 99, 1) == std::vector<range>{{1, 1, 1, 0}});
  }
  const opened again{directory.path()};
  CHECK(read(again, 1, 1, 99) == expected);
}

TEST_CASE("log history: what a backup needs is kept, up to a cap") {
  for (const bool is_capped : {false, true}) {
    CAPTURE(is_capped);
    const temporary_directory directory;
    journal_options options;
    options.trim_bytes = 1;
    if (is_capped) options.keep_bytes_max = 20'000;
    opened o{directory.path(), options};
    o.log->keep_from(1, 3);
    std::uint64_t number = 0;
    for (std::uint64_t index = 1; index <= 40; ++index) {
      write(o, number, index, 1, 1, index == 1 ? 0 : 1, std::string(1000, 'v'));
      REQUIRE(o.heard.wait_synced(1, number));
      o.log->commit(1, index, true);
      REQUIRE(o.heard.wait_applied(1, index));
    }
    const auto first = o.log->first_kept(1);
    if (is_capped) {
      CHECK(first > 15);
      CHECK(first < 30);
    } else {
      CHECK(first == 3);
    }
    CHECK(read(o, 1, first, 40).size() == 41 - first);
    CHECK(read(o, 1, first - 1, 40).empty());
    // It has caught up.
    o.log->keep_from(1, 40);
    write(o, number, 41, 1, 1, 1);
    o.log->commit(1, 40, true);
    REQUIRE(o.heard.wait_synced(1, number));
    o.log->commit(1, 41, true);
    REQUIRE(o.heard.wait_applied(1, 41));
    write(o, number, 42, 1, 1, 1);
    REQUIRE(o.heard.wait_synced(1, number));
    CHECK(o.log->first_kept(1) >= 40);
  }
}
