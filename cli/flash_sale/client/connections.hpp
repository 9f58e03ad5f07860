#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/flash_sale/client/endpoint.hpp"
#include "cli/flash_sale/client/response_parser.hpp"

namespace troupe::client {

/// Many connections to one server, driven by one thread that calls `poll`. A slot is the place of a
/// connection; it can be opened again after it broke. One request is under way on a slot at a time.
///
/// Costs one `send` and one `recv` a request and no allocation of its own beside the body, so that on a
/// machine shared with the server the client takes as little of it as it can.
class connections {
 public:
  /// Told what happens, from within `poll` (and from `send` when the peer is found gone). May call `open`,
  /// `send` and `close` on any slot.
  struct listener {
    virtual ~listener() = default;
    virtual void on_open(std::size_t slot) = 0;
    virtual void on_response(std::size_t slot, response& answer) = 0;
    /// The connection is gone, whatever it was doing.
    virtual void on_broken(std::size_t slot) = 0;
  };

  /// To each server the same number, one after the other. At least one.
  connections(std::vector<endpoint> servers, std::size_t slots, listener& events);
  ~connections();
  connections(const connections&) = delete;
  connections& operator=(const connections&) = delete;

  /// Starts to connect; on_open or on_broken follows from a later `poll`.
  void open(std::size_t slot);
  /// The slot must be open and have no request under way. Copies only what the socket does not take at once.
  void send(std::size_t slot, std::string_view request);
  /// Tells the listener nothing.
  void close(std::size_t slot);

  bool is_open(std::size_t slot) const { return slots_[slot].phase == link::open; }
  std::size_t slot_count() const { return slots_.size(); }

  /// Waits for events up to the timeout, and handles them.
  void poll(std::chrono::milliseconds timeout);

 private:
  enum class link : std::uint8_t { closed, connecting, open };
  struct slot_state {
    int fd = -1;
    link phase = link::closed;
    std::uint32_t opened_count = 0;  ///< tells an event of this connection from one of its predecessor
    std::string unsent;
    response_parser parser;
  };

  void watch(std::size_t slot, int operation, std::uint32_t events);
  void finish_connect(std::size_t slot);
  void send_rest(std::size_t slot);
  void receive(std::size_t slot);
  void break_off(std::size_t slot);

  std::vector<endpoint> servers_;
  listener& events_;
  int epoll_ = -1;
  std::vector<slot_state> slots_;
  std::vector<std::size_t>
      refused_at_once_;  ///< told to the listener by the next poll, never from within open()
};

}  // namespace troupe::client
