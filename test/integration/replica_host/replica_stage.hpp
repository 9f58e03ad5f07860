#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/replica_host/replica_host.hpp"
#include "test/integration/replica_host/told_authority.hpp"

namespace troupe::test {

class set_clock final : public clock_source {
 public:
  timestamp wall() const override { return {now_ms}; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point{std::chrono::milliseconds{now_ms}};
  }
  std::int64_t now_ms = 1'000'000;
};

/// One replica between a log, an authority and a shard that the test plays.
struct stage : shard_log, replica_listener {
  static constexpr member self{node_id{1}, 5};

  explicit stage(recovered_shard found = {}) {
    environment.decides = &authority;
    environment.reader = &reader;
    environment.self = self;
    replica_place place{3, std::move(found), this, &clock, this, {}, {}};
    place.post = [this](std::function<void()> run) { posted.push_back(std::move(run)); };
    place.tick_after = [this](std::chrono::milliseconds after) { tick_after_ms = after.count(); };
    replica = std::make_unique<replica_host>(std::move(place), environment);
  }

  void write(log_write&& what) override { writes.push_back(std::move(what)); }
  void commit(shard_id, std::uint64_t index, bool is_awaited) override {
    commits.emplace_back(index, is_awaited);
  }
  void on_holding(bool now) override { is_holding = now; }
  void on_serve(std::uint64_t epoch, std::uint64_t barrier) override { served = {epoch, barrier}; }
  void on_committed(std::uint64_t index) override { committed = index; }
  void on_reads_released(std::uint64_t ticket) override { released = ticket; }
  void on_stop_serving() override { has_stopped = true; }
  void on_accepting(bool accepts) override { is_accepting = accepts; }

  void answer(const stored_config& with) {
    authority.answer_read({.ok = true, .configs = {with}, .error = {}});
    while (!posted.empty()) {
      const auto run = std::move(posted.front());
      posted.pop_front();
      run();
    }
  }
  /// Everything written is on disk.
  void sync() { replica->on_synced(writes.back().number); }

  set_clock clock;
  told_authority authority;
  authority_reader reader{authority};
  replica_environment environment;
  std::deque<std::function<void()>> posted;
  std::int64_t tick_after_ms = 0;
  std::vector<log_write> writes;
  std::vector<std::pair<std::uint64_t, bool>> commits;
  std::pair<std::uint64_t, std::uint64_t> served{};
  std::uint64_t committed = 0;
  std::uint64_t released = 0;
  bool is_holding = false;
  bool has_stopped = false;
  bool is_accepting = true;
  std::unique_ptr<replica_host> replica;
};

inline proposal entries(std::uint64_t first, std::uint64_t last, std::uint64_t epoch) {
  return {first, last, epoch, epoch, "bytes", 1};
}

inline constexpr member other{node_id{2}, 9};

/// A stage whose replica follows `other` in epoch 1 and has its log.
struct follower : stage, shard_history {
  follower() {
    environment.peers = &outbox;
    environment.history = this;
    replica->start();
    shard_config config = alone(3, other, 1, 1).config;
    config.replicas = {node_id{1}, node_id{2}};
    answer({3, 1, config});
    hear(replication::activate{{}, 1, 1});
  }
  template <class Body>
  void hear(Body body, std::uint64_t epoch = 1) {
    replica->receive({3, other, self, epoch, 1, std::move(body)});
  }
  std::vector<log_extract> read(shard_id, std::uint64_t, std::uint64_t, std::size_t) const override {
    ++reads;
    return {};
  }
  mutable int reads = 0;
  std::uint64_t first_kept(shard_id) const override { return 0; }
  void keep_from(shard_id, std::uint64_t) override {}
  void take_image(shard_id, image_handler) override {}

  struct sent_words final : replica_peers {
    void send(const replication::message& what) override { sent.push_back(what); }
    std::vector<replication::message> sent;
  } outbox;
};

inline shared_bytes chunk_of(std::uint64_t first, int count, std::uint64_t epoch, std::uint64_t previous) {
  chunk_writer writer{3};
  writer.begin(first, epoch, previous);
  for (int i = 0; i < count; ++i) {
    std::string entry;
    encode_barrier(entry);
    writer.add(entry);
  }
  return std::make_shared<const std::string>(writer.take());
}

/// Marks of the state after that entry, in epoch 1.
inline std::string marks_of(char index) { return {1, index, 1, 0, 1, 1, 1}; }

}  // namespace troupe::test
