#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "test/integration/faults/powercut_disk.hpp"
#include "test/integration/faults/recording.hpp"
#include "test/integration/faults/snapshots.hpp"
#include "test/integration/faults/stride.hpp"
#include "test/support/temporary_directory.hpp"

/// Crash points, enumerated: lives are recorded once, and then for each change that they made to the disk,
/// what a power cut right behind it may leave is laid out, opened, and held against what had been
/// acknowledged.
namespace {

using namespace troupe;
using namespace troupe::faults;

constexpr std::uint64_t script_length = 300;

/// The mark that these bytes of the file hold.
std::vector<std::uint64_t> mark_in(const std::string& bytes) {
  const test::temporary_directory beside;
  std::ofstream{beside.path() + "/mark", std::ios::binary} << bytes;
  return sync_mark::read(beside.path()).ends;
}

std::string numbers(const std::vector<std::uint64_t>& values) {
  std::string out;
  for (const auto value : values) out += std::to_string(value) + " ";
  return out;
}

/// What is wrong with the disk under `root`, for somebody who was promised what `then` says; else the ends of
/// the logs on it.
std::variant<std::vector<std::uint64_t>, std::string> reopen(const std::string& root, const playback& then,
                                                             const script& plan) {
  // A power cut may leave any part of the slot that was being written, and never of the other one. Before
  // strays are cut off the mark goes down to where they begin.
  const auto left = sync_mark::read(root + "/data").ends;
  const auto promised = mark_in(then.mark);
  for (std::size_t i = 0; i < promised.size(); ++i) {
    if (left.size() <= i || left[i] < std::min(promised[i], then.acknowledged[i]))
      return "the mark was " + numbers(promised) + "and is " + numbers(left);
  }
  std::uint64_t epoch = 0;
  life_events events;
  events.opened = [&](std::uint64_t number) { epoch = number; };
  auto begun = life::begin(root + "/data", std::make_shared<powercut_disk>(root), events);
  if (const auto* fault = std::get_if<store_error>(&begun)) return "refused: " + fault->message;
  const auto& alive = *std::get<std::unique_ptr<life>>(begun);
  if (epoch <= then.epoch) return "epoch " + std::to_string(epoch) + " was used before";
  for (std::size_t shard = 0; shard < script::shards; ++shard) {
    if (alive.ends()[shard] < then.acknowledged[shard])
      return "acknowledged: " + numbers(then.acknowledged) + "there: " + numbers(alive.ends());
    if (alive.ends()[shard] > then.appended[shard])
      return "appended: " + numbers(then.appended) + "there: " + numbers(alive.ends());
    const auto strays = alive.strays()[shard];
    if (strays > 0 && strays <= then.cut[shard])
      return "strays of shard " + std::to_string(shard) + " are back";
  }
  auto fault = compare(alive.stored(), plan, alive.ends());
  if (!fault.empty()) return fault;
  return alive.ends();
}

/// Cuts the power behind each `stride`-th change of the recording.
void sweep(const recording& of, const std::vector<std::uint64_t>& begun_with, const script& plan,
           std::size_t count, std::uint32_t seed,
           disk_model::write_order order = disk_model::write_order::kept) {
  const auto stride = stride_for(of.changes(), count);
  playback then{of, begun_with};
  const test::temporary_directory disk;
  std::mt19937 random{seed};
  std::size_t points = 0;
  std::size_t refused = 0;
  while (then.next()) {
    if (then.at() % stride != 0) continue;
    ++points;
    CAPTURE(then.at());
    CAPTURE(std::string{to_string(then.last().what)});
    CAPTURE(then.last().path);
    then.disk().power_cut(random, order).write_to(disk.path());
    const auto found = reopen(disk.path(), then, plan);
    const auto* fault = std::get_if<std::string>(&found);
    if (fault == nullptr) continue;
    const bool is_refused = fault->starts_with("refused: ") && fault->find("damaged") != std::string::npos;
    if (order == disk_model::write_order::lost && is_refused) {
      ++refused;
    } else {
      FAIL_CHECK(*fault);
    }
  }
  CHECK(points > 0);
  MESSAGE(points << " power cuts of " << of.changes() << " points, " << refused << " refused");
}

/// A life on what lies under `root`.
recording live(const std::string& root, const script& plan, std::uint32_t seed, std::size_t rounds) {
  return record(root, [&](const std::string& directory, auto disk, life_events events) {
    auto begun = life::begin(directory, disk, std::move(events));
    REQUIRE(std::holds_alternative<std::unique_ptr<life>>(begun));
    std::get<std::unique_ptr<life>>(begun)->run(plan, seed, rounds);
  });
}

const std::vector<std::uint64_t> nothing(script::shards, 0);

/// Cuts the power at a random point and gives the ends of the logs that were found then.
std::vector<std::uint64_t> cut_at_random(const recording& of, std::vector<std::uint64_t> begun_with,
                                         const script& plan, std::mt19937& random, const std::string& root) {
  playback then{of, std::move(begun_with)};
  const auto last = 1 + random() % of.changes();
  while (then.at() < last && then.next()) {
  }
  const auto left = then.disk().power_cut(random);
  left.write_to(root);
  const auto found = reopen(root, then, plan);
  REQUIRE(std::holds_alternative<std::vector<std::uint64_t>>(found));
  left.write_to(root);  // as it was before it was looked at
  return std::get<std::vector<std::uint64_t>>(found);
}

}  // namespace

TEST_CASE("power cut: in a first life, at every change to the disk, nothing acknowledged is lost") {
  const script plan{1, script_length};
  const test::temporary_directory disk;
  sweep(live(disk.path(), plan, 1, 300), nothing, plan, 150, 11);
}

TEST_CASE("power cut: in later lives, each begun on what a power cut left, nothing acknowledged is lost") {
  const script plan{2, script_length};
  const test::temporary_directory disk;
  std::mt19937 random{2};
  auto recorded = live(disk.path(), plan, 2, 60);
  auto ends = cut_at_random(recorded, nothing, plan, random, disk.path());
  for (std::uint32_t life_number = 1; life_number <= 5; ++life_number) {
    CAPTURE(life_number);
    recorded = live(disk.path(), plan, life_number, 40);
    sweep(recorded, ends, plan, 40, life_number);
    ends = cut_at_random(recorded, ends, plan, random, disk.path());
  }
}

TEST_CASE("power cut: in lives that follow each other without one, nothing acknowledged is lost") {
  // What a life did not sync the next one reads all the same, and builds on.
  const script plan{5, script_length};
  const test::temporary_directory disk;
  const auto recorded =
      record(disk.path(), [&](const std::string& directory, auto file_system, life_events events) {
        for (std::uint32_t n = 1; n <= 8; ++n) {
          auto begun = life::begin(directory, file_system, events);
          REQUIRE(std::holds_alternative<std::unique_ptr<life>>(begun));
          std::get<std::unique_ptr<life>>(begun)->run(plan, n, 10);
        }
      });
  sweep(recorded, nothing, plan, 120, 17);
}

TEST_CASE(
    "power cut: while snapshots are put aside, installed and cleaned up, a shard is the old or the new") {
  const script plan{6, script_length};
  const auto given = snapshots_of(plan);
  const test::temporary_directory disk;
  const auto recorded =
      record(disk.path(), [&](const std::string& directory, auto file_system, life_events events) {
        for (std::uint32_t n = 1; n <= 3; ++n) {
          auto begun = life::begin(directory, file_system, events);
          REQUIRE(std::holds_alternative<std::unique_ptr<life>>(begun));
          std::get<std::unique_ptr<life>>(begun)->run_with_snapshots(plan, given, n, 20);
        }
      });
  sweep(recorded, nothing, plan, 150, 19);
}

TEST_CASE("snapshot: a piece that was damaged on its way is noticed, wherever it was") {
  const script plan{6, script_length};
  const auto given = snapshots_of(plan);
  const test::temporary_directory disk;
  store_options options;
  options.directory = disk.path() + "/data";
  options.shard_count = script::shards;
  auto opened = store::open(options);
  REQUIRE(std::holds_alternative<std::unique_ptr<store>>(opened));
  store_batch batch{*std::get<std::unique_ptr<store>>(opened)};
  std::mt19937 random{7};
  for (const auto& one : given) {
    snapshot_stage stage;
    const auto& whole = one.pieces.front();
    REQUIRE(stage.put_aside(one.shard, one.index, 0, whole, batch));
    REQUIRE(stage.is_ready(one.index));
    for (int tries = 0; tries < 200; ++tries) {
      auto piece = whole;
      const auto at = random() % piece.size();
      CAPTURE(at);
      piece[at] = static_cast<char>(piece[at] ^ (1 << (random() % 8)));
      CHECK_FALSE(stage.put_aside(one.shard, one.index, 0, piece, batch));
      CHECK_FALSE(stage.is_ready(one.index));
      CHECK_FALSE(stage.put_aside(one.shard, one.index, 0, whole.substr(0, at), batch));
      batch.clear();
    }
  }
}

TEST_CASE(
    "power cut: a disk that writes out of order may leave what is refused, and nothing that answers wrong") {
  const script plan{3, script_length};
  const test::temporary_directory disk;
  sweep(live(disk.path(), plan, 3, 200), nothing, plan, 100, 13, disk_model::write_order::lost);
}
