#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cluster/history/operation.hpp"
#include "test/chaos/first_attempts.hpp"

namespace troupe::chaos {

/// What is sold during a run. Each SKU counts as a shard of the history: its version is its index, so that a
/// front's answer is witness enough.
struct shop {
  std::vector<std::string> names;
  std::int64_t initial = 10'000;
  /// Of the SKUs with even numbers; the others sell at once.
  std::int64_t hold_seconds = 3;
  bool holds(std::size_t sku) const { return sku % 2 == 0; }
};

struct workload_options {
  std::vector<std::string> urls;
  std::string token;  // of an administrator, who is every client's user
  std::string user;
  std::uint64_t seed = 1;
  std::size_t clients = 8;
  int think_ms_max = 30;
  /// How long a client repeats one command, under the same key, before it gives up on it.
  int patience_ms = 20'000;
};

struct workload_figures {
  std::atomic<std::uint64_t> asked{0};     // attempts
  std::atomic<std::uint64_t> answered{0};  // with an outcome
  std::atomic<std::uint64_t> unknown{0};   // attempts without one: no answer, or one that says so
  std::atomic<std::uint64_t> given_up{0};  // operations without an outcome after all attempts
};

/// Clients that order, confirm, cancel, restock and read without a pause, and repeat what has no outcome, and
/// some of what has one, under the same key. Keeps what it saw.
class workload {
 public:
  /// `writes` outlives it, and is told of each write's first attempt.
  workload(shop of, workload_options options, first_attempts& writes);
  ~workload();
  workload(const workload&) = delete;
  workload& operator=(const workload&) = delete;

  /// Defines the SKUs. False: see `fault`.
  bool open(std::string& fault);
  void start();
  /// Ends the clients when what each has begun has its outcome, or its patience is over.
  void finish();

  const workload_figures& figures() const { return figures_; }
  /// After finish().
  std::vector<history::operation> take_operations();
  /// The key's command id in the log, by which client's which command that is.
  const std::map<std::string, history::command_id>& commands() const { return commands_; }
  /// The first answers that nothing here can lead to.
  const std::vector<std::string>& oddities() const { return oddities_; }

 private:
  class client;

  const shop shop_;
  const workload_options options_;
  first_attempts& writes_;
  workload_figures figures_;
  std::atomic<bool> is_over_{false};
  std::vector<std::unique_ptr<client>> clients_;
  std::vector<std::thread> threads_;
  std::map<std::string, history::command_id> commands_;
  std::vector<std::string> oddities_;
};

}  // namespace troupe::chaos
