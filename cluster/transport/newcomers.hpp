#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

namespace troupe {

/// Connections that others have made and that have not said enough to be anybody. CAF waits for them for ever
/// (its time-out is for who has said who it is), so a port that somebody connects to and is silent would hold
/// one descriptor each. Any thread.
class newcomers {
 public:
  /// Who has sent less than `bytes_min` after `patience` is shut out.
  newcomers(std::chrono::milliseconds patience, std::uint64_t bytes_min);
  ~newcomers();
  newcomers(const newcomers&) = delete;
  newcomers& operator=(const newcomers&) = delete;

  /// `socket` stays its owner's: this watches a duplicate. Of more than `count_max` the oldest is shut out.
  void add(int socket);
  /// Forgets who has said enough, and shuts out who has not in time. Gives how many were, add()'s included.
  std::size_t sweep();

  static constexpr std::size_t count_max = 64;

 private:
  struct connection {
    int socket = -1;
    std::chrono::steady_clock::time_point since;
  };
  void forget(const connection& one, bool is_shut_out);

  const std::chrono::milliseconds patience_;
  const std::uint64_t bytes_min_;
  std::mutex mutex_;
  std::deque<connection> waiting_;  // oldest first
  std::size_t shut_out_ = 0;        // not told of
};

}  // namespace troupe
