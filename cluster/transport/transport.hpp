#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/transport/hello.hpp"
#include "cluster/transport/wire.hpp"

namespace troupe {

struct transport_options {
  /// A loopback or private address only: what travels is neither encrypted nor authenticated.
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  // nodes only; 0: any free one
  std::string source{};    // IP address that connections are made from; empty: the system's choice
  std::chrono::milliseconds connect_timeout{500};
  std::chrono::milliseconds hello_timeout{1000};
  /// Who has connected to this process and says nothing is shut out.
  std::chrono::milliseconds newcomer_patience{5000};
  std::chrono::milliseconds retry_min{50};
  std::chrono::milliseconds retry_max{2000};
  /// Sent and not yet taken in by the other side; what comes beyond waits.
  std::size_t in_flight_bytes_max = 4U << 20U;
  /// That waits; what comes beyond is dropped, which everything above lives with.
  std::size_t waiting_bytes_max = 32U << 20U;
  /// Of words that travel together. A word that is larger goes alone.
  std::size_t message_bytes_max = 256U << 10U;
};

/// Told of everything that arrives, on the transport's threads: must not block and must not end the
/// transport.
class transport_listener {
 public:
  virtual ~transport_listener() = default;
  /// That process is there and fits: a node that this process has reached, or a front that has reached it.
  virtual void on_hello(const hello& who) = 0;
  virtual void on_word(const hello& who, wire::word what, std::string_view bytes) = 0;
  /// The connection is gone, and with it what was under way in either direction.
  virtual void on_lost(const hello& who) = 0;
};

struct node_address {
  node_id node = node_id::none;
  std::string address;  // ip:port
  std::uint64_t run =
      0;  // of the process that is there, as far as known: another one is worth a call at once
  friend bool operator==(const node_address&, const node_address&) = default;
};

struct transport_figures {
  std::uint64_t words_sent = 0, words_received = 0, bytes_sent = 0, bytes_received = 0;
  std::uint64_t dropped = 0;     // no connection, or too much was waiting
  std::uint64_t refused = 0;     // processes that do not fit
  std::uint64_t malformed = 0;   // messages that are none
  std::uint64_t links_open = 0;  // to nodes, now
  std::uint64_t links_lost = 0;
};

/// The connections of this process: one to each node, which carries everything for it, and answers to fronts
/// on the connections that these have made. CAF's middleman carries the bytes (caf.md, sections 3 and 9): a
/// link an actor, which connects, says hello, monitors, and tries again with back-off. At most once, in order
/// while a connection lasts. Has an actor system of its own, so that the runtime knows no network.
class transport {
 public:
  /// Throws std::runtime_error when the port cannot be had.
  transport(transport_options options, hello self, transport_listener& listener);
  ~transport();
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;

  /// The nodes to be connected with, this one left out. Links to others end.
  void connect_to(const std::vector<node_address>& nodes);

  /// Any thread; never blocks. False: it was dropped.
  bool send(node_id to, wire::word what, std::string_view bytes);
  bool send_to_front(const member& to, wire::word what, std::string_view bytes);

  /// Whether that node is connected.
  bool reaches(node_id node) const;

  /// To every node and front that is connected.
  void broadcast(wire::word what, std::string_view bytes);

  std::uint16_t port() const;
  transport_figures figures() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace troupe
