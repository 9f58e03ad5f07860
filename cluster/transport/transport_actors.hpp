#pragma once

// For the .cpp files of this room only: what its two actors and the transport share.

#include <atomic>
#include <caf/all.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cluster/transport/dialer.hpp"
#include "cluster/transport/newcomers.hpp"
#include "cluster/transport/outgoing.hpp"
#include "cluster/transport/transport.hpp"

CAF_BEGIN_TYPE_ID_BLOCK(troupe_transport, first_custom_type_id)
CAF_ADD_ATOM(troupe_transport, troupe, hello_atom, "hello")
CAF_ADD_ATOM(troupe_transport, troupe, welcome_atom, "welcome")
CAF_ADD_ATOM(troupe_transport, troupe, refuse_atom, "refuse")
CAF_ADD_ATOM(troupe_transport, troupe, words_atom, "words")
CAF_ADD_ATOM(troupe_transport, troupe, took_atom, "took")
CAF_ADD_ATOM(troupe_transport, troupe, flush_atom, "flush")
CAF_ADD_ATOM(troupe_transport, troupe, retry_atom, "retry")
CAF_ADD_ATOM(troupe_transport, troupe, hurry_atom, "hurry")
CAF_ADD_ATOM(troupe_transport, troupe, dialed_atom, "dialed")
CAF_ADD_ATOM(troupe_transport, troupe, unknown_atom, "unknown")
CAF_ADD_ATOM(troupe_transport, troupe, sweep_atom, "sweep")
CAF_END_TYPE_ID_BLOCK(troupe_transport)

namespace troupe {

struct figures_now {
  std::atomic<std::uint64_t> words_sent{0}, words_received{0}, bytes_sent{0}, bytes_received{0}, dropped{0},
      refused{0}, malformed{0}, links_open{0}, links_lost{0};
};

/// How much whoever speaks CAF sends first, at least.
std::uint64_t introduction_bytes_min();

/// What the actors of one transport share. Outlives them.
struct transport_shared {
  transport_options options;
  hello self;
  transport_listener& listener;
  figures_now figures;
  dialer dials{options.source};
  newcomers arrivals{options.newcomer_patience, introduction_bytes_min()};
  /// That node is there: a link that waits before it dials again does so now.
  std::function<void(node_id)> hurry{};

  std::string own_hello() const;
  std::unique_ptr<outgoing> make_outgoing() const;
  /// What arrived from a process that has said hello; `parts` is of its connection.
  void take_in(const hello& from, wire::assembly& parts, const std::string& message);
  /// Adds what was taken in to `untold`; gives the bytes that the other side is to be told of, or 0: an
  /// eighth of what may be under way is worth a message, a beat is not.
  std::uint64_t due_to_tell(std::uint64_t& untold, std::size_t taken) const;
  /// Any thread; `taker` is the actor that sends what waits in `out`. False: it was dropped.
  bool put(outgoing* out, const caf::actor& taker, wire::word what, std::string_view bytes);
  /// What waits in `out` goes to `to`, in the name of `by`.
  void send_waiting(caf::event_based_actor& by, outgoing& out, const caf::actor& to);
};

/// Fronts that are connected, for who has something to tell them. Any thread.
class front_list {
 public:
  std::shared_ptr<outgoing> find(const member& who) const {
    const std::lock_guard lock{mutex_};
    const auto it = fronts_.find(who);
    return it == fronts_.end() ? nullptr : it->second;
  }
  void add(const member& who, std::shared_ptr<outgoing> out) {
    const std::lock_guard lock{mutex_};
    fronts_[who] = std::move(out);
  }
  std::vector<member> all() const {
    std::vector<member> out;
    const std::lock_guard lock{mutex_};
    for (const auto& [who, queue] : fronts_) out.push_back(who);
    return out;
  }
  void remove(const member& who) {
    const std::lock_guard lock{mutex_};
    fronts_.erase(who);
  }

 private:
  mutable std::mutex mutex_;
  std::map<member, std::shared_ptr<outgoing>> fronts_;
};

/// The way to one node: connects, says hello, sends what waits, and starts over when the connection is lost.
caf::actor spawn_link(caf::actor_system& system, transport_shared& with, node_address to,
                      std::shared_ptr<outgoing> out);

/// Where other processes arrive: takes in what they send, and answers fronts.
caf::actor spawn_dock(caf::actor_system& system, transport_shared& with, front_list& fronts);
/// Gives the port at which others find it from now on, and looks after who arrives; none: it cannot be had.
std::optional<std::uint16_t> publish_dock(caf::actor_system& system, const caf::actor& dock,
                                          const transport_options& options, newcomers& arrivals);

}  // namespace troupe
