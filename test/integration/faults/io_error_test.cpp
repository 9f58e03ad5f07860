#include <doctest/doctest.h>

#include <map>
#include <sstream>

#include "test/integration/faults/child_process.hpp"
#include "test/integration/faults/powercut_disk.hpp"
#include "test/integration/faults/recording.hpp"
#include "test/integration/faults/served_life.hpp"
#include "test/integration/faults/stride.hpp"
#include "test/support/temporary_directory.hpp"

/// Errors, enumerated: the same life is lived again and again in a process of its own, and each time another
/// I/O fails. That process must have ended with a message, or have refused to open, and what it had
/// acknowledged must be there; or the failure was one that costs nothing.
namespace {

using namespace troupe;
using namespace troupe::faults;

constexpr std::uint32_t script_seed = 3;
constexpr std::uint64_t script_length = 80;
constexpr std::size_t rounds = 40;

/// What a child said.
struct told {
  std::vector<std::uint64_t> appended;
  std::vector<std::uint64_t> acknowledged;
  std::vector<std::uint64_t> cut;
  std::uint64_t acknowledged_after_fault = 0;
  std::string fault;
  std::uint64_t changes = 0;
  std::uint64_t reads = 0;
  std::uint64_t epoch = 0;
  bool ended = false;
};

told take(const std::string& out, const std::vector<std::uint64_t>& begun_with) {
  told all;
  all.appended = all.acknowledged = begun_with;
  all.cut.resize(begun_with.size());
  std::istringstream lines{out};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream in{line};
    std::string what;
    in >> what;
    if (what == "fault") {
      all.fault = line;
    } else if (what == "opened") {
      in >> all.epoch;
    } else if (what == "ended") {
      all.ended = true;
      in >> all.changes >> all.reads;
    } else {
      std::size_t shard = 0;
      in >> shard;
      auto& to = what == "appended" ? all.appended : what == "cut" ? all.cut : all.acknowledged;
      std::uint64_t index = 0;
      in >> index;
      to.at(shard) = std::max(to.at(shard), index);
      if (what == "acknowledged" && !all.fault.empty()) ++all.acknowledged_after_fault;
    }
  }
  return all;
}

/// One kind of failure on one disk.
struct error_case {
  disk_image base;
  std::vector<std::uint64_t> begun_with;
  std::string direction;
  std::string error;
  std::string life = "live";  // "install" or "serve"
};

/// "fault sync /x/data/store/000012.log": "sync of a .log".
std::string kind_of(const std::string& fault) {
  const auto name = fault.substr(fault.rfind('/') + 1);
  const auto dot = name.rfind('.');
  const auto verb = fault.substr(6, fault.find('/') - 7);
  return verb + " of " +
         (dot == std::string::npos ? name.substr(0, name.find('-')) : "a " + name.substr(dot));
}

child_end live_with(const std::string& root, const error_case& c, std::uint64_t at) {
  c.base.write_to(root);
  return run_child({c.life, root, std::to_string(script_seed), std::to_string(script_length),
                    std::to_string(rounds), c.direction, std::to_string(at), c.error});
}

bool is_failed_log_sync(const told& said) {
  return said.fault.starts_with("fault sync ") && said.fault.ends_with(".log");
}

bool is_failed_log_append(const told& said) {
  return said.fault.starts_with("fault append ") && said.fault.ends_with(".log");
}

/// Our message, with the error that was injected. Only the other of the two threads that write to a log may
/// be faster, when it comes to one whose append or sync has just failed: it hears of that, or RocksDB, as
/// Debian builds it, asserts that nobody does.
bool has_message(const child_end& end, const told& said) {
  const auto says = [&](const char* text) { return end.err.find(text) != std::string::npos; };
  if (says("troupe: invariant broken") && says("injected")) return true;
  const bool is_behind_it =
      says("Writer has previous error") || (says("writable_file_writer.h") && says("Assertion"));
  return (is_failed_log_sync(said) || is_failed_log_append(said)) && is_behind_it;
}

/// What is wrong with the disk that a child left; empty: nothing.
template <class Life>
std::string left_wrong(const std::string& root, const told& said, const script& plan) {
  auto begun = Life::begin(root + "/data", std::make_shared<powercut_disk>(root));
  if (const auto* fault = std::get_if<store_error>(&begun)) {
    // The applier may write behind what a failed sync has lost, before the process has ended: a log with a
    // hole.
    const bool has_hole = is_failed_log_sync(said) && fault->what == store_error::code::corrupt;
    return has_hole ? std::string{} : "refused: " + fault->message;
  }
  const auto& alive = *std::get<std::unique_ptr<Life>>(begun);
  for (std::size_t shard = 0; shard < alive.ends().size(); ++shard) {
    if (alive.ends()[shard] < said.acknowledged[shard]) return "acknowledged and not there";
    if (alive.ends()[shard] > said.appended[shard]) return "there and never appended";
  }
  if constexpr (std::is_same_v<Life, life>) {
    for (std::size_t shard = 0; shard < script::shards; ++shard) {
      const auto strays = alive.strays()[shard];
      if (strays > 0 && strays <= said.cut[shard]) return "strays are back";
    }
    return compare(alive.stored(), plan, alive.ends());
  } else {
    return alive.epoch() <= said.epoch ? "an epoch was given out twice" : "";
  }
}

/// Failures that cost nothing: RocksDB's record of its options, files that are not removed yet, and reads
/// that were not needed or are answered by another.
bool may_go_on(const error_case& c, const std::string& kind) {
  return c.direction == "reads" || kind.ends_with(".dbtmp") || kind.starts_with("remove") ||
         kind.ends_with("directory of store") || kind == "open of a .log" || kind == "truncate of a .log";
}

/// How the child ended, in words; checks that it is one of the ways in which it may.
std::string ending_of(const error_case& c, const child_end& end, const told& said) {
  if (end.what == child_end::how::aborted) {
    CHECK(has_message(end, said));
    return "ended with a message";
  }
  REQUIRE(end.what == child_end::how::exited);
  if (end.exit_code != 0) {
    CHECK(end.exit_code == 1);
    // RocksDB takes a CURRENT that does not open for one without direct I/O, and says that instead.
    CHECK(end.err.find("refused: ") != std::string::npos);
    return "refused to open";
  }
  CHECK(said.ended);
  if (said.fault.empty()) return "came to its end before that I/O";
  const auto kind = kind_of(said.fault);
  CAPTURE(kind);
  CHECK(may_go_on(c, kind));
  return "went on after " + kind;
}

void sweep(const error_case& c, std::size_t count) {
  const script plan{script_seed, script_length};
  const test::temporary_directory disk;
  const auto whole = live_with(disk.path(), {c.base, c.begun_with, "none", "io", c.life}, 0);
  REQUIRE(whole.exit_code == 0);
  const auto without = take(whole.out, c.begun_with);
  const auto points = c.direction == "reads" ? without.reads : without.changes;
  const auto stride = stride_for(points, count);
  std::map<std::string, int> endings;
  for (std::uint64_t at = 1 + stride / 2; at <= points; at += stride) {
    CAPTURE(at);
    const auto end = live_with(disk.path(), c, at);
    CAPTURE(end.err);
    const auto said = take(end.out, c.begun_with);
    CAPTURE(said.fault);
    ++endings[ending_of(c, end, said)];
    const auto wrong = c.life == "serve" ? left_wrong<served_life>(disk.path(), said, plan)
                                         : left_wrong<life>(disk.path(), said, plan);
    if (!wrong.empty()) FAIL_CHECK(wrong);
  }
  CHECK(endings["ended with a message"] > 0);
  for (const auto& [ending, times] : endings) MESSAGE(ending << ": " << times);
}

const std::vector<std::uint64_t> nothing(script::shards, 0);

/// A disk that lost its power during a life, so that a recovery has something to do.
error_case after_power_cut(const std::string& direction, const std::string& error) {
  const script plan{script_seed, script_length};
  const test::temporary_directory disk;
  const auto recorded =
      record(disk.path(), [&](const std::string& directory, auto file_system, life_events events) {
        auto begun = life::begin(directory, file_system, std::move(events));
        REQUIRE(std::holds_alternative<std::unique_ptr<life>>(begun));
        std::get<std::unique_ptr<life>>(begun)->run(plan, 5, 40);
      });
  playback then{recorded, nothing};
  while (then.at() < recorded.changes() - 10 && then.next()) {
  }
  std::mt19937 random{5};
  const auto left = then.disk().power_cut(random);
  left.write_to(disk.path());
  auto begun = life::begin(disk.path() + "/data", std::make_shared<powercut_disk>(disk.path()));
  REQUIRE(std::holds_alternative<std::unique_ptr<life>>(begun));
  return {left, std::get<std::unique_ptr<life>>(begun)->ends(), direction, error};
}

}  // namespace

TEST_CASE(
    "i/o error: a change that fails in a first life ends the process, and nothing acknowledged is lost") {
  sweep({{}, nothing, "changes", "io"}, 40);
}

TEST_CASE(
    "i/o error: a change that fails after a power cut ends the process, and nothing acknowledged is lost") {
  sweep(after_power_cut("changes", "io"), 40);
}

TEST_CASE(
    "i/o error: with the authority's file on the same disk, no epoch is given out twice and nothing "
    "acknowledged is lost") {
  for (const char* error : {"io", "no_space"}) sweep({{}, nothing, "changes", error, "serve"}, 25);
  sweep({{}, nothing, "reads", "io", "serve"}, 10);
}

TEST_CASE("i/o error: while snapshots are put aside and installed, nothing acknowledged is lost or mixed") {
  for (const char* error : {"io", "no_space"}) sweep({{}, nothing, "changes", error, "install"}, 25);
  sweep({{}, nothing, "reads", "io", "install"}, 10);
}

TEST_CASE("i/o error: a read that fails ends the process or was not needed") {
  sweep({{}, nothing, "reads", "io"}, 20);
  sweep(after_power_cut("reads", "io"), 25);
}

TEST_CASE("full disk: wherever it begins, the process ends, and nothing acknowledged is lost") {
  sweep({{}, nothing, "changes", "no_space"}, 30);
  sweep(after_power_cut("changes", "no_space"), 30);
}

TEST_CASE("failed fsync: it ends the process with a message, and nothing is acknowledged after it") {
  const script plan{script_seed, script_length};
  const test::temporary_directory disk;
  // The first is the epoch's, before the store is open.
  for (std::uint64_t at = 2; at <= 30; ++at) {
    CAPTURE(at);
    const auto end = live_with(disk.path(), {{}, nothing, "log_syncs", "io"}, at);
    CAPTURE(end.err);
    const auto said = take(end.out, nothing);
    CHECK(end.what == child_end::how::aborted);
    CHECK(has_message(end, said));
    CHECK(said.acknowledged_after_fault == 0);
    CHECK(left_wrong<life>(disk.path(), said, plan) == "");
  }
}
