#include <doctest/doctest.h>

#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>

#include "test/integration/faults/child_process.hpp"
#include "test/integration/faults/life.hpp"
#include "test/integration/faults/log_records.hpp"
#include "test/integration/faults/powercut_disk.hpp"
#include "test/integration/faults/snapshots.hpp"
#include "test/support/temporary_directory.hpp"

/// One bit flipped, or the end cut off, at random places of each kind of file: the store must refuse to open,
/// end with a message, or answer everything as before.
namespace {

using namespace troupe;
using namespace troupe::faults;

constexpr std::uint32_t script_seed = 4;
constexpr std::uint64_t script_length = 200;

bool is_of_kind(const std::string& path, const std::string& kind) {
  const auto name = path.substr(path.rfind('/') + 1);
  return kind.starts_with('.') ? name.ends_with(kind) : name.starts_with(kind);
}

/// A store after some lives of so many rounds.
disk_image sound_disk(const std::vector<std::size_t>& lives, bool with_snapshots = false) {
  const script plan{script_seed, script_length};
  const auto given = with_snapshots ? snapshots_of(plan) : std::vector<snapshot>{};
  const test::temporary_directory disk;
  const auto file_system = std::make_shared<powercut_disk>(disk.path());
  for (const auto rounds : lives) {
    auto begun = life::begin(disk.path() + "/data", file_system);
    REQUIRE(std::holds_alternative<std::unique_ptr<life>>(begun));
    std::get<std::unique_ptr<life>>(begun)->run_with_snapshots(plan, given,
                                                               static_cast<std::uint32_t>(rounds), rounds);
  }
  return disk_image::read_from(disk.path());
}

/// What a process leaves that is killed long after it last wrote rows and synced its mark.
disk_image killed_disk(std::size_t rounds) {
  const script plan{script_seed, script_length};
  const test::temporary_directory disk;
  auto begun = life::begin(disk.path() + "/data", std::make_shared<powercut_disk>(disk.path()), {},
                           {std::chrono::milliseconds{300}, std::chrono::hours{1}});
  REQUIRE(std::holds_alternative<std::unique_ptr<life>>(begun));
  std::get<std::unique_ptr<life>>(begun)->run(plan, 1, rounds);
  return disk_image::read_from(disk.path());
}

child_end answers_of(const disk_image& what, const std::string& root) {
  what.write_to(root);
  return run_child({"read", root, std::to_string(script_seed), std::to_string(script_length)});
}

struct damage {
  enum class how { flip = 1, truncate };
  how what{};
  std::string path;
  std::size_t at = 0;
  int bit = 0;
};

void apply(const damage& d, disk_image& to) {
  auto& bytes = to.files.at(d.path);
  if (d.what == damage::how::truncate) {
    bytes.resize(d.at);
  } else {
    bytes[d.at] = static_cast<char>(bytes[d.at] ^ (1 << d.bit));
  }
}

/// Opens the damaged disk and checks how that ended; gives the ending in words.
std::string check_damaged(const disk_image& damaged, const std::string& root, const child_end& sound) {
  const auto end = answers_of(damaged, root);
  CAPTURE(end.err);
  if (end.what == child_end::how::aborted) {
    CHECK(end.err.find("troupe: invariant broken") != std::string::npos);
    return "ended with a message";
  }
  REQUIRE(end.what == child_end::how::exited);
  if (end.exit_code == 1) {
    CHECK(end.err.find("refused: ") != std::string::npos);
    return "refused to open";
  }
  CHECK(end.exit_code == 0);
  CHECK(end.out == sound.out);
  return "answered as before";
}

/// `places`: a third of them where every process is slow (TROUPE_FEW_FAULTS, of the sanitized preset).
void sweep(const std::string& kind, damage::how what, std::size_t places, bool with_snapshots = false) {
  if (std::getenv("TROUPE_FEW_FAULTS") != nullptr) places /= 3;
  const test::temporary_directory disk;
  const auto sound = sound_disk({60, 50, 40}, with_snapshots);
  const auto expected = answers_of(sound, disk.path());
  REQUIRE(expected.exit_code == 0);
  REQUIRE(expected.out.find("answers") != std::string::npos);
  std::vector<std::string> files;
  for (const auto& [path, bytes] : sound.files) {
    if (is_of_kind(path, kind) && !bytes.empty()) files.push_back(path);
  }
  REQUIRE_FALSE(files.empty());
  std::mt19937 random{static_cast<std::uint32_t>(what)};
  std::map<std::string, int> endings;
  for (std::size_t i = 0; i < places; ++i) {
    damage d{what, files[random() % files.size()], 0, static_cast<int>(random() % 8)};
    d.at = random() % sound.files.at(d.path).size();
    CAPTURE(d.path);
    CAPTURE(d.at);
    CAPTURE(d.bit);
    auto damaged = sound;
    apply(d, damaged);
    ++endings[check_damaged(damaged, disk.path(), expected)];
  }
  for (const auto& [ending, times] : endings)
    MESSAGE(kind << ", " << files.size() << " files: " << ending << ": " << times);
}

}  // namespace

TEST_CASE("corruption: a flipped bit is refused or changes no answer") {
  for (const char* kind : {".log", ".sst", "MANIFEST", "manifest", "CURRENT", "mark", "FORMAT"})
    sweep(kind, damage::how::flip, 50);
}

TEST_CASE("corruption: the same where snapshots were put aside and installed") {
  for (const char* kind : {".log", ".sst"}) sweep(kind, damage::how::flip, 30, true);
}

TEST_CASE("corruption: a file that lost its end is refused or changes no answer") {
  for (const char* kind : {".log", ".sst", "MANIFEST", "manifest", "CURRENT", "mark", "FORMAT"})
    sweep(kind, damage::how::truncate, 50);
}

TEST_CASE("corruption: a write-ahead log of which nothing can be read is noticed, whichever it is") {
  // Many logs, most of them in the MANIFEST; and two that are not, the first without anything before it.
  for (const auto& lives : std::vector<std::vector<std::size_t>>{{60, 50, 40}, {10, 30}}) {
    CAPTURE(lives.size());
    const test::temporary_directory disk;
    const auto sound = sound_disk(lives);
    const auto expected = answers_of(sound, disk.path());
    REQUIRE(expected.exit_code == 0);
    for (const auto& file : sound.files) {
      const auto& path = file.first;
      const auto& bytes = file.second;
      if (!is_of_kind(path, ".log") || bytes.empty()) continue;
      CAPTURE(path);
      auto damaged = sound;
      damaged.files[path].clear();
      check_damaged(damaged, disk.path(), expected);
      // The length of its first record reaches behind the end of the file, which looks like a torn tail.
      damaged.files[path] = bytes;
      damaged.files[path][5] = '\xff';
      check_damaged(damaged, disk.path(), expected);
    }
  }
}

namespace {

std::string newest_log(const disk_image& of) {
  std::string newest;
  for (const auto& file : of.files)
    if (is_of_kind(file.first, ".log") && !file.second.empty()) newest = std::max(newest, file.first);
  return newest;
}

}  // namespace

TEST_CASE("corruption: damage to the newest entries of a killed process does not pass for a torn tail") {
  const test::temporary_directory disk;
  const auto sound = killed_disk(40);
  const auto expected = answers_of(sound, disk.path());
  REQUIRE(expected.exit_code == 0);
  const auto newest = newest_log(sound);
  const auto records = records_of(sound.files.at(newest));
  REQUIRE(records.size() > 12);
  std::map<std::string, int> endings;
  for (auto record = records.end() - 12; record != records.end(); ++record) {
    CAPTURE(*record);
    // The length reaches behind the end of the file: what a write that was cut short looks like.
    auto flipped = sound;
    apply({damage::how::flip, newest, *record + 5, 7}, flipped);
    ++endings["flipped: " + check_damaged(flipped, disk.path(), expected)];
    auto cut = sound;
    apply({damage::how::truncate, newest, *record, 0}, cut);
    ++endings["cut: " + check_damaged(cut, disk.path(), expected)];
  }
  for (const auto& [ending, times] : endings) MESSAGE(ending << ": " << times);
}

namespace {

/// A journal without anything around it, of whose shard 0 the test plays the replica.
class bare_journal final : public journal_listener {
 public:
  /// Not begun: see `refusal`.
  explicit bare_journal(const std::string& directory) {
    store_options small;
    small.directory = directory;
    small.shard_count = script::shards;
    small.block_cache_bytes = 1U << 20U;
    auto opened = store::open(small);
    if (const auto* fault = std::get_if<store_error>(&opened)) {
      refusal = fault->message;
      return;
    }
    store_ = std::move(std::get<std::unique_ptr<store>>(opened));
    journal_options slow;
    slow.mark_interval = std::chrono::hours{1};
    journal_ = std::make_unique<journal>(*store_, *this, slow, directory);
    auto recovered = journal_->recover();
    if (const auto* fault = std::get_if<store_error>(&recovered)) {
      refusal = fault->message;
      return;
    }
    journal_->start();
  }
  ~bare_journal() override { journal_.reset(); }

  /// On disk, and said to be, when this returns.
  void write(log_write what) {
    const auto number = what.number = ++written_;
    journal_->write(std::move(what));
    std::unique_lock lock{mutex_};
    REQUIRE(synced_by_now_.wait_for(lock, std::chrono::seconds{20}, [&] { return synced_ >= number; }));
  }
  void append(const script& plan, std::uint64_t first, std::uint64_t last, std::uint64_t epoch,
              std::uint64_t previous) {
    chunk_writer chunk{0};
    chunk.begin(first, epoch, previous);
    for (auto index = first; index <= last; ++index) chunk.add(plan.entry(0, index));
    write(
        {0, log_write::kind::entries, 0, first, last, std::make_shared<const std::string>(chunk.take()), 1});
  }
  std::string refusal;

 private:
  void on_synced(shard_id, std::uint64_t number) override {
    const std::lock_guard lock{mutex_};
    synced_ = number;
    synced_by_now_.notify_all();
  }
  void on_applied(shard_id, std::uint64_t) override {}

  std::mutex mutex_;
  std::condition_variable synced_by_now_;
  std::uint64_t synced_ = 0;   // guarded by mutex_
  std::uint64_t written_ = 0;  // the number of the last write
  std::unique_ptr<store> store_;
  std::unique_ptr<journal> journal_;
};

/// What is on the disk of a process that is killed when `lived` has done what it does.
template <class Live>
disk_image killed_after(const Live& lived) {
  const test::temporary_directory disk;
  bare_journal one{disk.path() + "/data"};
  REQUIRE(one.refusal.empty());
  lived(one);
  return disk_image::read_from(disk.path());
}

}  // namespace

TEST_CASE(
    "corruption: a lost cut whose entries were replaced, or a lost promise, is noticed though no log is "
    "shorter") {
  const script plan{script_seed, script_length};
  const auto replaced = killed_after([&](bare_journal& one) {
    one.append(plan, 1, 10, 3, 0);
    one.write({0, log_write::kind::truncation, 0, 6, 0, {}, 1});
    one.append(plan, 6, 10, 4, 3);
  });
  const auto promised = killed_after([&](bare_journal& one) {
    one.append(plan, 1, 10, 3, 0);
    one.write({0, log_write::kind::meta, 0, 0, 0, std::make_shared<const std::string>("a promise"), 1});
  });
  for (const auto& [killed, lost_records] : {std::pair{replaced, 2}, std::pair{promised, 1}}) {
    const auto newest = newest_log(killed);
    const auto records = records_of(killed.files.at(newest));
    REQUIRE(records.size() > 2);
    const auto refusal_of = [](const disk_image& what) {
      const test::temporary_directory disk;
      what.write_to(disk.path());
      return bare_journal{disk.path() + "/data"}.refusal;
    };
    CHECK(refusal_of(killed) == "");
    const auto first_lost = records[records.size() - static_cast<std::size_t>(lost_records)];
    auto flipped = killed;
    apply({damage::how::flip, newest, first_lost + 5, 7}, flipped);
    CHECK(refusal_of(flipped).find("the disk lost acknowledged data") != std::string::npos);
    auto cut = killed;
    apply({damage::how::truncate, newest, first_lost, 0}, cut);
    CHECK(refusal_of(cut).find("the disk lost acknowledged data") != std::string::npos);
    // What an opening writes of its own must not fill up what is missing.
    const test::temporary_directory disk;
    cut.write_to(disk.path());
    for (int i = 0; i < 12; ++i) {
      CAPTURE(i);
      CHECK(bare_journal{disk.path() + "/data"}.refusal.find("the disk lost acknowledged data") !=
            std::string::npos);
    }
  }
}
