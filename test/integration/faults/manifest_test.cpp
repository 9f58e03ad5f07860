#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>

#include "runtime/store/manifest_mark.hpp"
#include "test/integration/faults/disk_model.hpp"
#include "test/integration/faults/log_records.hpp"
#include "test/support/temporary_directory.hpp"

/// The MANIFEST may lose its last records to damage that looks like a write that was cut short. RocksDB then
/// takes the store for what it was before, and passes over the write-ahead logs that are gone since.
namespace {

using namespace troupe;
using namespace troupe::faults;

constexpr int rows = 200;

store_options options_in(const std::string& directory) {
  store_options small;
  small.directory = directory;
  small.shard_count = 4;
  small.block_cache_bytes = 1U << 20U;
  small.write_buffer_bytes = 64U << 10U;
  return small;
}

std::string row_key(int i) {
  std::string key;
  byte_writer w{key};
  w.u16_be(0);
  w.u8(0);
  w.u16_be(static_cast<std::uint16_t>(i));
  return key;
}

std::string row_value(int i) { return std::string(1024, static_cast<char>('a' + i % 26)); }

std::vector<std::string> files_like(const disk_image& of, const std::string& part) {
  std::vector<std::string> out;
  for (const auto& file : of.files)
    if (file.first.find(part) != std::string::npos) out.push_back(file.first);
  return out;
}

void write_row(store& to, int i, bool with_meta) {
  store_batch batch{to};
  batch.put_row(row_key(i), row_value(i));
  if (with_meta) batch.put_meta(0, std::string(64U << 10U, 'm'));
  to.write(batch, store::durability::synced);
}

/// What a process leaves that ends when all column families have been flushed, and the log of its first
/// writes is gone. No frame was written, so none can be missing.
disk_image ended_after_flush() {
  const test::temporary_directory disk;
  auto opened = store::open(options_in(disk.path() + "/data"));
  REQUIRE(std::holds_alternative<std::unique_ptr<store>>(opened));
  auto& held = std::get<std::unique_ptr<store>>(opened);
  auto& one = *held;
  const auto first_log = files_like(disk_image::read_from(disk.path()), ".log").at(0);
  int written = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  for (; written < rows; ++written) write_row(one, written, true);
  while (disk_image::read_from(disk.path()).files.contains(first_log)) {
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, "the first log was never dropped");
    write_row(one, rows - 1, true);
    std::this_thread::yield();
  }
  held.reset();  // nothing changes any more while it is copied
  return disk_image::read_from(disk.path());
}

/// The bytes of the MANIFEST that its mark has: "…\nMANIFEST-000005 1234\n…".
std::size_t marked_bytes(const disk_image& of) {
  const auto& text = of.files.at("data/manifest");
  return std::stoul(text.substr(text.find(' ', text.find("MANIFEST-"))));
}

/// How an opening ends: "refused: ..." or "answers"; other answers than before are a failure.
std::string opening_of(const disk_image& what) {
  const test::temporary_directory disk;
  what.write_to(disk.path());
  const auto opened = store::open(options_in(disk.path() + "/data"));
  if (const auto* fault = std::get_if<store_error>(&opened)) return "refused: " + fault->message;
  const auto& one = *std::get<std::unique_ptr<store>>(opened);
  int missing = 0;
  for (int i = 0; i < rows; ++i) missing += one.get_row(row_key(i)) == row_value(i) ? 0 : 1;
  CHECK(missing == 0);
  return missing == 0 ? "answers" : "answers otherwise";
}

}  // namespace

TEST_CASE("manifest: when a record looks like the end of the file, the store is refused") {
  const auto sound = ended_after_flush();
  REQUIRE(opening_of(sound) == "answers");
  const auto manifest = files_like(sound, "/MANIFEST-").at(0);
  const auto records = records_of(sound.files.at(manifest));
  REQUIRE(records.size() > 6);
  std::map<std::string, int> endings;
  const auto look = [&](const disk_image& damaged) {
    const auto end = opening_of(damaged);
    const bool is_noticed = end.find("the disk lost acknowledged data") != std::string::npos;
    ++endings[is_noticed ? "noticed" : end.substr(0, end.find(':'))];
  };
  for (const auto record : records) {
    CAPTURE(record);
    auto flipped = sound;
    auto& length = flipped.files.at(manifest)[record + 5];
    length = static_cast<char>(length ^ 0x80);  // it reaches behind the end of the file
    look(flipped);
    auto cut = sound;
    cut.files.at(manifest).resize(record);
    look(cut);
    auto zeros = sound;
    auto& bytes = zeros.files.at(manifest);
    for (auto at = record; at < bytes.size(); ++at) bytes[at] = 0;
    look(zeros);
  }
  // Any bit of a header: RocksDB takes a record of a type that it does not expect for the end of the file,
  // too.
  const auto step = std::getenv("TROUPE_FEW_FAULTS") != nullptr ? 5U : 1U;
  for (std::size_t i = 0; i < records.size(); i += step)
    for (std::size_t bit = 0; bit < 24; ++bit) {
      CAPTURE(records[i]);
      CAPTURE(bit);
      auto flipped = sound;
      auto& byte = flipped.files.at(manifest)[records[i] + 4 + bit / 8];
      byte = static_cast<char>(byte ^ (1 << (bit % 8)));
      look(flipped);
    }
  for (const auto& [ending, times] : endings) MESSAGE(ending << ": " << times);
  CHECK(endings["noticed"] > 3);
}

TEST_CASE("manifest: a store that was refused for it stays so") {
  auto sound = ended_after_flush();
  const auto manifest = files_like(sound, "/MANIFEST-").at(0);
  // Behind the mark there may be what a compaction changed, which may be lost.
  sound.files.at(manifest).resize(marked_bytes(sound) - 1);
  const test::temporary_directory disk;
  sound.write_to(disk.path());
  for (int i = 0; i < 3; ++i) {
    CAPTURE(i);
    CHECK(std::holds_alternative<store_error>(store::open(options_in(disk.path() + "/data"))));
  }
  CHECK(disk_image::read_from(disk.path()).files == sound.files);
}

TEST_CASE("manifest: whole records end where a write was cut, and go on over the ends of blocks") {
  // [checksum: 4][length: 2, least significant first][type: 1][payload]
  const auto record = [](std::size_t payload) {
    std::string out(4, 'c');
    out.push_back(static_cast<char>(payload & 0xff));
    out.push_back(static_cast<char>(payload >> 8U));
    out.push_back(1);
    return out + std::string(payload, 'p');
  };
  const auto two = record(10) + record(20);
  CHECK(whole_records_end(two, two.size()) == two.size());
  CHECK(whole_records_end(two, 1) == 17);
  CHECK(whole_records_end(two.substr(0, two.size() - 1), two.size()) == 17);
  CHECK(whole_records_end(two.substr(0, 20), two.size()) == 17);
  CHECK(whole_records_end(two + std::string(100, '\0'), two.size() + 100) == two.size());
  CHECK(whole_records_end("", 5) == 0);
  for (int type = 0; type < 256; ++type) {
    CAPTURE(type);
    auto other = two;
    other[17 + 6] = static_cast<char>(type);
    CHECK(whole_records_end(other, two.size()) == (type >= 1 && type <= 4 ? two.size() : 17));
  }
  // The first block has 3 bytes left, which no header fits into.
  const auto filled = record(32768 - 7 - 3) + std::string(3, '\0') + record(5);
  CHECK(whole_records_end(filled, filled.size()) == filled.size());
  // A length that reaches over the end of its block is none.
  auto beyond = record(32768 - 7 - 100) + record(200);
  CHECK(whole_records_end(beyond, beyond.size()) == 32768 - 100);
}
