#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "test/chaos/first_attempts.hpp"

namespace troupe::chaos {

struct delivery_options {
  std::vector<std::string> urls;
  std::string token;  // of an administrator
  std::size_t clients = 2;
  int think_ms_max = 60;
  int due_in_ms = 2'000;  // of every third task
  /// How long a client repeats one task, under the same key, before it gives up on it.
  int patience_ms = 20'000;
};

/// Clients that create tasks and repeat what has no outcome, and some of what has one, under the same key.
/// Each task tells its user once, and once more when it is due: what an outbox and a timer did twice, or not
/// at all, shows in that user's inbox.
class deliveries {
 public:
  /// `writes` outlives it, and is told of each task's first attempt.
  deliveries(delivery_options options, first_attempts& writes);
  ~deliveries();
  deliveries(const deliveries&) = delete;
  deliveries& operator=(const deliveries&) = delete;

  void start();
  /// Ends the clients when what each has begun has its outcome, or its patience is over.
  void finish();

  std::uint64_t tasks() const;
  std::uint64_t reminders() const;
  /// After finish(), with the cluster whole: reads every user's inbox until it has what it must have or
  /// `patience_ms` is over; what is wrong with them, a sentence each, at most a few.
  std::vector<std::string> compare(int patience_ms);

 private:
  class client;

  const delivery_options options_;
  first_attempts& writes_;
  std::atomic<bool> is_over_{false};
  std::vector<std::unique_ptr<client>> clients_;
  std::vector<std::thread> threads_;
};

}  // namespace troupe::chaos
