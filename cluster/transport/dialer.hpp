#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// Connects sockets without making anybody wait: CAF's own connect blocks its one middleman actor (caf.md,
/// section 0.9), so that one silent host would hold up every link. Has a thread of its own.
class dialer {
 public:
  /// `source`: the IP address to connect from; empty: the system's choice.
  explicit dialer(const std::string& source);
  ~dialer();
  dialer(const dialer&) = delete;
  dialer& operator=(const dialer&) = delete;

  /// A connected, non-blocking socket, which the receiver owns, or -1. On the dialer's thread.
  using on_dialed = std::function<void(int socket)>;

  /// `endpoint` is ip:port. Any thread. After stop() nothing is dialed and nobody is told.
  void dial(const std::string& endpoint, std::chrono::milliseconds timeout, on_dialed done);

  /// Returns when no call of an `on_dialed` is under way any more, and none will come. The owner's thread.
  void stop();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace troupe
