#pragma once

#include <doctest/doctest.h>

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/entity/table.hpp"
#include "runtime/journal/journal.hpp"

/// The journal on a real disk, written to as a shard's replica writes.
namespace troupe::test {

/// Lets a test wait, with a deadline, for what the journal's thread reports.
class notices final : public journal_listener {
 public:
  void on_synced(shard_id shard, std::uint64_t index) override { note(synced_[shard], index); }
  void on_applied(shard_id shard, std::uint64_t index) override {
    {
      std::unique_lock lock{mutex_};
      changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return held_ != shard; });
    }
    note(applied_[shard], index);
  }
  /// Keeps the applier's thread at work with that shard until let_go().
  void hold(shard_id shard) { held_ = shard; }
  void let_go() {
    const std::lock_guard lock{mutex_};
    held_.reset();
    changed_.notify_all();
  }
  bool wait_synced(shard_id shard, std::uint64_t index) { return wait(synced_[shard], index); }
  bool wait_applied(shard_id shard, std::uint64_t index) { return wait(applied_[shard], index); }

 private:
  void note(std::uint64_t& at, std::uint64_t index) {
    const std::lock_guard lock{mutex_};
    at = index;
    changed_.notify_all();
  }
  bool wait(std::uint64_t& at, std::uint64_t index) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return at >= index; });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<std::uint64_t, 8> synced_{}, applied_{};
  std::optional<shard_id> held_;
};

inline constexpr std::uint16_t shards = 4;
inline const entity_ref somebody{kind_id{201}, "somebody"};

inline std::string entry_writing(const std::string& row_key, const std::string& value) {
  effects changes;
  changes.rows.push_back({table_no{1}, row_key, value});
  entry_head head;
  head.at = {1};
  head.kind = somebody.kind;
  head.key = somebody.key;
  head.message = message_no{1};
  head.command_id = "0123456789abcdef";
  head.fingerprint = 9;
  head.reply = "reply";
  std::string out;
  encode_entry(out, head, changes);
  return out;
}

struct opened {
  std::unique_ptr<store> stored;
  notices heard;
  std::unique_ptr<journal> log;
  std::vector<recovered_shard> found;
  std::uint64_t number = 0;
  std::optional<store_error> fault;

  explicit opened(const std::string& directory, journal_options options = {}) {
    auto result = store::open({directory, shards});
    if (auto* why = std::get_if<store_error>(&result)) {
      fault = *why;
      return;
    }
    stored = std::move(std::get<std::unique_ptr<store>>(result));
    log = std::make_unique<journal>(*stored, heard, options, directory);
    auto recovered = log->recover();
    if (auto* why = std::get_if<store_error>(&recovered)) {
      fault = *why;
      return;
    }
    found = std::get<std::vector<recovered_shard>>(recovered);
    log->start();
  }
  /// What was in the log is committed and in the rows.
  void commit_recovered() {
    for (shard_id shard = 0; shard < shards; ++shard) {
      if (found[shard].last == found[shard].applied) continue;
      log->commit(shard, found[shard].last, true);
      REQUIRE(heard.wait_applied(shard, found[shard].last));
    }
  }
  ~opened() { log.reset(); }

  void append(shard_id shard, std::uint64_t first, std::uint64_t previous_epoch, int count,
              const std::string& value, std::size_t awaited = 1) {
    chunk_writer chunk{shard};
    chunk.begin(first, stored->epoch(), previous_epoch);
    for (int i = 0; i < count; ++i) {
      chunk.add(entry_writing("row" + std::to_string(first + static_cast<std::uint64_t>(i)), value));
    }
    write(shard, first, first + static_cast<std::uint64_t>(count) - 1, chunk.take(), awaited);
  }
  /// Its number is its last index.
  void write(shard_id shard, std::uint64_t first, std::uint64_t last, std::string chunk,
             std::size_t awaited = 1) {
    log->write({shard, log_write::kind::entries, last, first, last,
                std::make_shared<const std::string>(std::move(chunk)), awaited});
  }
  std::optional<std::string> row(shard_id shard, const std::string& key) {
    return stored->rows_of(shard, somebody)->get(table_no{1}, key);
  }
};

}  // namespace troupe::test
