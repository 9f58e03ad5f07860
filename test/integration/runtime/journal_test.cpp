#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "test/integration/runtime/journal_fixture.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;
using namespace troupe::test;

TEST_CASE("journal: what was synced is there after a restart, applied or not") {
  temporary_directory directory;
  {
    opened o{directory.path()};
    REQUIRE_FALSE(o.fault);
    o.append(1, 1, 0, 3, "one");
    REQUIRE(o.heard.wait_synced(1, 3));
    o.log->commit(1, 3, false);
    REQUIRE(o.heard.wait_applied(1, 3));
    CHECK(o.row(1, "row2") == "one");
    o.append(1, 4, o.stored->epoch(), 2, "two");
    REQUIRE(o.heard.wait_synced(1, 5));
  }
  opened again{directory.path()};
  REQUIRE_FALSE(again.fault);
  CHECK(again.found[1].applied == 3);
  CHECK(again.found[1].last == 5);
  CHECK(again.found[1].history == epoch_history{{1, 1}});
  CHECK(again.stored->epoch() == 2);
  CHECK(again.row(1, "row5") == std::nullopt);  // not known to be committed
  again.commit_recovered();
  CHECK(again.row(1, "row5") == "two");
  CHECK(again.stored->get_reply(1, "0123456789abcdef"));  // written in 1970, and so was the log
  CHECK(again.stored->applied(1).index == 5);
}

TEST_CASE("journal: what nobody waits for gets to disk too, alone or with the next round") {
  temporary_directory directory;
  opened o{directory.path()};
  REQUIRE_FALSE(o.fault);
  o.append(1, 1, 0, 3, "alone", 0);
  REQUIRE(o.heard.wait_synced(1, 3));
  o.append(1, 4, o.stored->epoch(), 1, "first", 0);
  o.append(2, 1, 0, 1, "behind it");
  REQUIRE(o.heard.wait_synced(2, 1));
  CHECK(o.heard.wait_synced(1, 4));
}

TEST_CASE("journal: the log does not grow for ever") {
  temporary_directory directory;
  journal_options options;
  options.trim_bytes = 10'000;
  options.apply_delay = std::chrono::milliseconds{1};
  opened o{directory.path(), options};
  REQUIRE_FALSE(o.fault);
  std::uint64_t next = 1;
  for (int round = 0; round < 50; ++round) {
    o.append(2, next, round == 0 ? 0 : 1, 20, std::string(100, 'v'));
    next += 20;
    REQUIRE(o.heard.wait_synced(2, next - 1));
    o.log->commit(2, next - 1, false);
    REQUIRE(o.heard.wait_applied(2, next - 1));
  }
  std::size_t chunks = 0;
  o.stored->scan_log([&](std::uint64_t, std::string_view) {
    ++chunks;
    return true;
  });
  CHECK(chunks <= 6);
  CHECK(o.row(2, "row1000") == std::string(100, 'v'));
}

TEST_CASE("journal: a round writes no more than its bound, and an entry that is larger goes alone") {
  temporary_directory directory;
  journal_options options;
  options.round_bytes_max = 1000;
  options.apply_delay = std::chrono::seconds{20};
  const auto large = std::string(3000, 'l');
  {
    opened o{directory.path(), options};
    REQUIRE_FALSE(o.fault);
    const auto epoch = o.stored->epoch();
    chunk_writer chunk{1};
    chunk.begin(1, epoch, 0);
    for (int i = 1; i <= 40; ++i)
      chunk.add(entry_writing("row" + std::to_string(i), i == 20 ? large : std::string(100, 's')));
    o.write(1, 1, 40, chunk.take());
    o.append(2, 1, 0, 3, "other");
    REQUIRE(o.heard.wait_synced(1, 40));
    REQUIRE(o.heard.wait_synced(2, 3));
    std::size_t frames = 0;
    std::size_t larger = 0;
    o.stored->scan_log([&](std::uint64_t, std::string_view frame) {
      ++frames;
      constexpr std::size_t frame_head = 16;
      if (frame.size() > options.round_bytes_max + frame_head) {
        ++larger;
        CHECK(frame.size() < 3200);
      }
      return true;
    });
    CHECK(larger == 1);
    CHECK(frames >= 8);
    CHECK(frames <= 15);
  }
  opened again{directory.path()};
  REQUIRE_FALSE(again.fault);
  CHECK(again.found[1].last == 40);
  CHECK(again.found[2].last == 3);
  again.commit_recovered();
  CHECK(again.row(1, "row20") == large);
  CHECK(again.row(1, "row40") == std::string(100, 's'));
  CHECK(again.row(2, "row3") == "other");
}

TEST_CASE("journal: rows that are awaited while the applier is busy are applied as soon as it is free") {
  temporary_directory directory;
  journal_options options;
  options.apply_delay = std::chrono::hours{1};
  opened o{directory.path(), options};
  o.heard.hold(0);
  for (shard_id shard = 0; shard < 3; ++shard) {
    o.append(shard, 1, 0, 1, "value");
    REQUIRE(o.heard.wait_synced(shard, 1));
    o.log->commit(shard, 1, true);
    // Two more rounds: the one that heard of the commit is over.
    o.append(3, 2 * shard + 1U, shard == 0 ? 0 : o.stored->epoch(), 1, "value");
    REQUIRE(o.heard.wait_synced(3, 2 * shard + 1U));
    o.append(3, 2 * shard + 2U, o.stored->epoch(), 1, "value");
    REQUIRE(o.heard.wait_synced(3, 2 * shard + 2U));
  }
  o.heard.let_go();
  CHECK(o.heard.wait_applied(1, 1));
  CHECK(o.heard.wait_applied(2, 1));
}

TEST_CASE("journal: a clean end leaves a mark of the whole log, however young") {
  temporary_directory directory;
  journal_options options;
  options.mark_interval = std::chrono::hours{1};
  {
    opened o{directory.path(), options};
    o.append(1, 1, 0, 3, "one");
    REQUIRE(o.heard.wait_synced(1, 3));
    o.append(1, 4, o.stored->epoch(), 2, "two");
    REQUIRE(o.heard.wait_synced(1, 5));
  }
  CHECK(sync_mark::read(directory.path()).ends == std::vector<std::uint64_t>{0, 5, 0, 0});
}

TEST_CASE("journal: a log with a gap, a strayed record or a flipped bit is refused and left alone") {
  for (const char* how : {"gap", "flip", "epoch"}) {
    temporary_directory directory;
    {
      opened o{directory.path()};
      o.append(1, 1, 0, 2, "one");
      REQUIRE(o.heard.wait_synced(1, 2));
      const auto first = std::string{how} == "gap" ? 4U : 3U;
      if (std::string{how} == "flip") {
        chunk_writer chunk{1};
        chunk.begin(3, 1, 1);
        chunk.add(entry_writing("x", "y"));
        auto bytes = chunk.take();
        bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
        o.write(1, 3, 3, bytes);
      } else {
        o.append(1, first, std::string{how} == "epoch" ? 7 : 1, 1, "later");
      }
      REQUIRE(o.heard.wait_synced(1, first));
    }
    CAPTURE(how);
    opened again{directory.path()};
    REQUIRE(again.fault);
    CHECK(again.fault->what == store_error::code::corrupt);
    CHECK(again.stored->applied(1).index == 0);
  }
}

TEST_CASE("journal: a log that ends below its sync mark is suspect") {
  temporary_directory directory;
  { opened o{directory.path()}; }
  {
    sync_mark mark{directory.path()};
    mark.write({{0, 5, 0, 0}, 0});
    mark.write({{0, 9, 0, 0}, 0});
  }
  CHECK(sync_mark::read(directory.path()).ends == std::vector<std::uint64_t>{0, 9, 0, 0});
  opened again{directory.path()};
  REQUIRE(again.fault);
  CHECK(again.fault->what == store_error::code::suspect);
}

TEST_CASE("store: a directory in use, of a newer format, or of another shard count is refused") {
  temporary_directory directory;
  {
    opened first{directory.path()};
    REQUIRE_FALSE(first.fault);
    opened second{directory.path()};
    REQUIRE(second.fault);
    CHECK(second.fault->what == store_error::code::locked);
  }
  auto other = store::open({directory.path(), 8});
  REQUIRE(std::holds_alternative<store_error>(other));
  CHECK(std::get<store_error>(other).what == store_error::code::other_shard_count);
  std::ofstream{directory.path() + "/FORMAT"} << "troupe data format 99\nshards 4\n";
  auto newer = store::open({directory.path(), shards});
  REQUIRE(std::holds_alternative<store_error>(newer));
  CHECK(std::get<store_error>(newer).what == store_error::code::newer_format);
  std::ofstream{directory.path() + "/FORMAT"} << "nonsense";
  CHECK(std::get<store_error>(store::open({directory.path(), shards})).what == store_error::code::corrupt);
}

TEST_CASE("store: a damaged store is not taken for one in use, whatever its directory is called") {
  temporary_directory directory;
  const auto path = directory.path() + "/block";
  { opened first{path}; }
  for (const auto& file : std::filesystem::directory_iterator{path + "/store"}) {
    if (file.path().filename().string().rfind("MANIFEST", 0) != 0) continue;
    std::fstream manifest{file.path(), std::ios::in | std::ios::out | std::ios::binary};
    manifest.seekp(20);
    manifest.write("damaged", 7);
  }
  opened second{path};
  REQUIRE(second.fault);
  CHECK(second.fault->what == store_error::code::corrupt);
}

TEST_CASE("entry: bytes of format 1 still read, and damaged bytes never pass") {
  // Written by the first version of this encoding; must read for ever.
  const auto bytes = entry_writing("k", "v");
  const std::string golden{
      "\x01\x01\x02\xc9\x08somebody\x01\x10"
      "0123456789abcdef"
      "\x00\x00\x00\x00\x00\x00\x00\x09\x00\x05reply\x01\x01\x01k\x01\x01v\x00\x00\x00",
      56};
  CHECK(bytes == golden);
  entry_view view;
  REQUIRE(decode_entry(golden, view));
  CHECK(view.head.key == "somebody");
  CHECK(view.head.reply == "reply");
  REQUIRE(view.rows.size() == 1);
  CHECK(view.rows[0].value == "v");
  for (std::size_t cut = 0; cut < golden.size(); ++cut) {
    entry_view damaged;
    CHECK_FALSE(decode_entry(std::string_view{golden}.substr(0, cut), damaged));
  }
  chunk_writer writer{3};
  writer.begin(100, 7, 6);
  writer.add(golden);
  writer.add(golden);
  const auto chunk = writer.take();
  chunk_view read;
  REQUIRE(decode_chunk(3, 100, chunk, read));
  CHECK(read.last_index() == 101);
  CHECK(read.previous_epoch == 6);
  CHECK_FALSE(decode_chunk(3, 101, chunk, read));
  CHECK_FALSE(decode_chunk(2, 100, chunk, read));
  for (std::size_t at = 4; at < chunk.size(); ++at) {
    auto flipped = chunk;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    CHECK_FALSE(decode_chunk(3, 100, flipped, read));
  }
}
