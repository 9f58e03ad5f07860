#include "runtime/store/reply_memtable.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace troupe;

namespace {

using contents = std::map<std::string, std::string>;

/// A database in memory whose only memtable is the one under test.
struct small_database {
  explicit small_database(std::size_t buckets) {
    rocksdb::Options options;
    options.env = env.get();
    options.create_if_missing = true;
    options.allow_concurrent_memtable_write = false;
    options.memtable_factory = std::make_shared<reply_memtable_factory>(buckets);
    rocksdb::DB* opened = nullptr;
    REQUIRE(rocksdb::DB::Open(options, "/db", &opened).ok());
    db.reset(opened);
  }
  std::unique_ptr<rocksdb::Env> env{rocksdb::NewMemEnv(rocksdb::Env::Default())};
  std::unique_ptr<rocksdb::DB> db;
};

/// Short ones, ones that share sixteen bytes and more, ones that begin one another.
std::string some_key() {
  static const std::string stem = "0123456789abcdef";
  const auto shared = *rc::gen::element<std::size_t>(0, 1, 8, 16);
  const auto rest = *rc::gen::container<std::string>(rc::gen::element('\0', 'a', '\xff'));
  return stem.substr(0, shared) + rest.substr(0, 2);
}

std::optional<std::string> value_of(rocksdb::DB& db, const rocksdb::ReadOptions& as, const std::string& key) {
  std::string value;
  const auto status = db.Get(as, key, &value);
  if (status.IsNotFound()) return std::nullopt;
  RC_ASSERT(status.ok());
  return value;
}

void check_reads_like(rocksdb::DB& db, const rocksdb::ReadOptions& as, const contents& model) {
  const std::unique_ptr<rocksdb::Iterator> it{db.NewIterator(as)};
  contents forwards;
  for (it->SeekToFirst(); it->Valid(); it->Next()) forwards[it->key().ToString()] = it->value().ToString();
  RC_ASSERT(forwards == model);
  std::vector<std::string> backwards;
  for (it->SeekToLast(); it->Valid(); it->Prev()) backwards.push_back(it->key().ToString());
  RC_ASSERT(backwards.size() == model.size());
  RC_ASSERT(std::is_sorted(backwards.rbegin(), backwards.rend()));

  for (const auto& [key, value] : model) RC_ASSERT(value_of(db, as, key) == std::optional{value});
  const auto key = some_key();
  if (!model.contains(key)) RC_ASSERT(value_of(db, as, key) == std::nullopt);
  it->Seek(key);
  const auto from = model.lower_bound(key);
  RC_ASSERT(it->Valid() == (from != model.end()));
  if (it->Valid()) RC_ASSERT(it->key().ToString() == from->first);
  it->SeekForPrev(key);
  const auto behind = model.upper_bound(key);
  RC_ASSERT(it->Valid() == (behind != model.begin()));
  if (it->Valid()) RC_ASSERT(it->key().ToString() == std::prev(behind)->first);
}

}  // namespace

TEST_CASE(
    "reply memtable: whatever is written, overwritten, deleted and flushed is read like an ordered map") {
  CHECK(rc::check([] {
    // One bucket: everything is behind everything else.
    small_database database{*rc::gen::element<std::size_t>(1, 4, 1024)};
    auto& db = *database.db;
    contents model;
    std::optional<contents> then;  // what a snapshot has to show
    const rocksdb::Snapshot* snapshot = nullptr;
    const auto steps = *rc::gen::inRange(0, 60);
    for (int i = 0; i < steps; ++i) {
      const auto dice = *rc::gen::inRange(0, 12);
      const auto key = some_key();
      if (dice < 6) {
        model[key] = std::to_string(i);
        RC_ASSERT(db.Put({}, key, std::to_string(i)).ok());
      } else if (dice < 9) {
        model.erase(key);
        RC_ASSERT(db.Delete({}, key).ok());
      } else if (dice == 9) {
        RC_ASSERT(db.Flush({}).ok());
      } else if (dice == 10 && snapshot == nullptr) {
        snapshot = db.GetSnapshot();
        then = model;
      } else {
        const auto last = some_key();
        if (key < last) {
          model.erase(model.lower_bound(key), model.lower_bound(last));
          RC_ASSERT(db.DeleteRange({}, db.DefaultColumnFamily(), key, last).ok());
        }
      }
    }
    check_reads_like(db, {}, model);
    if (snapshot != nullptr) {
      rocksdb::ReadOptions as_of_then;
      as_of_then.snapshot = snapshot;
      check_reads_like(db, as_of_then, *then);
      db.ReleaseSnapshot(snapshot);
    }
    RC_ASSERT(db.Flush({}).ok());
    check_reads_like(db, {}, model);
  }));
}

TEST_CASE(
    "reply memtable: who reads while another thread writes sees whole values, the younger one after the "
    "older") {
  small_database database{64};
  auto& db = *database.db;
  constexpr int rounds = 200;
  constexpr int keys = 50;
  std::atomic<bool> is_over = false;
  std::atomic<int> wrong = 0;
  std::thread reader{[&] {
    std::map<std::string, std::string> seen;
    for (int i = 0; !is_over; ++i) {
      const auto key = std::to_string(i % keys);
      std::string value;
      const auto status = db.Get({}, key, &value);
      if (status.IsNotFound()) continue;
      auto& last = seen[key];
      if (!status.ok() || value < last) ++wrong;
      last = value;
    }
  }};
  int refused = 0;
  for (int round = 0; round < rounds; ++round)
    for (int key = 0; key < keys; ++key)
      if (!db.Put({}, std::to_string(key), std::to_string(1000 + round)).ok()) ++refused;
  is_over = true;
  reader.join();
  CHECK(refused == 0);
  CHECK(wrong == 0);
}
