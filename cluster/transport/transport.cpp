#include "cluster/transport/transport.hpp"

#include <caf/io/all.hpp>
#include <random>
#include <stdexcept>

#include "cluster/transport/transport_actors.hpp"
#include "runtime/base/log.hpp"

namespace caf::detail {
/// CAF makes a node's id of its hardware addresses and process id, so a container that starts again would get
/// its old id, and messages for its former life (caf.md, section 0.8). This one is asked instead.
unsigned get_process_id() {
  static const unsigned value = std::random_device{}() | 1U;
  return value;
}
}  // namespace caf::detail

namespace troupe {

std::string transport_shared::own_hello() const {
  std::string out;
  encode(out, self);
  return out;
}

std::unique_ptr<outgoing> transport_shared::make_outgoing() const {
  return std::make_unique<outgoing>(options.message_bytes_max, options.waiting_bytes_max,
                                    options.in_flight_bytes_max);
}

void transport_shared::take_in(const hello& from, wire::assembly& parts, const std::string& message) {
  figures.bytes_received += message.size();
  bool fits = true;
  const auto hear = [&](wire::word what, std::string_view bytes) {
    ++figures.words_received;
    listener.on_word(from, what, bytes);
  };
  const bool is_whole = wire::for_each_word(message, [&](wire::word what, std::string_view bytes) {
    if (what != wire::word::part) {
      fits = fits && parts.is_empty();
      parts.clear();
      return hear(what, bytes);
    }
    std::optional<wire::assembly::whole> done;
    fits = parts.take(bytes, done) && fits;
    if (done) hear(done->kind, done->bytes);
  });
  if (!is_whole) parts.clear();
  if ((!is_whole || !fits) && figures.malformed++ % 1000 == 0)
    spdlog::warn("{} sent what is no message; it is ignored", from.name);
}

bool transport_shared::put(outgoing* out, const caf::actor& taker, wire::word what, std::string_view bytes) {
  const auto result = out != nullptr ? out->put(what, bytes) : outgoing::put_result::dropped;
  if (result == outgoing::put_result::dropped) {
    ++figures.dropped;
    return false;
  }
  ++figures.words_sent;
  if (result == outgoing::put_result::wake) caf::anon_send(taker, flush_atom_v);
  return true;
}

std::uint64_t transport_shared::due_to_tell(std::uint64_t& untold, std::size_t taken) const {
  untold += taken;
  return untold < options.in_flight_bytes_max / 8 ? 0 : std::exchange(untold, 0);
}

void transport_shared::send_waiting(caf::event_based_actor& by, outgoing& out, const caf::actor& to) {
  for (std::string message; out.take(message);) {
    figures.bytes_sent += message.size();
    by.send(to, words_atom_v, std::move(message));
  }
}

namespace {

caf::actor_system_config& configure(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::troupe_transport>();
  config.load<caf::io::middleman>();
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", static_cast<std::size_t>(2));
  config.set("scheduler.max-throughput", static_cast<std::size_t>(50));
  config.set("middleman.workers", static_cast<std::size_t>(0));
  config.set("middleman.heartbeat-interval", caf::timespan{std::chrono::milliseconds{500}});
  config.set("middleman.connection-timeout", caf::timespan{std::chrono::milliseconds{3000}});
  return config;
}

}  // namespace

struct transport::state {
  transport_shared with;
  front_list fronts;
  struct link {
    node_address to;
    std::shared_ptr<outgoing> out;
    caf::actor actor;
  };
  std::mutex mutex;
  std::map<node_id, link> links;  // guarded by mutex; empty when the system ends, whose dock looks here
  caf::actor_system_config config;
  caf::actor_system system;
  caf::actor dock;
  std::uint16_t port = 0;

  state(transport_options options, hello self, transport_listener& listener)
      : with{std::move(options), std::move(self), listener, {}}, system(configure(config)) {
    with.hurry = [this](node_id node) {
      const std::lock_guard lock{mutex};
      if (const auto it = links.find(node); it != links.end()) caf::anon_send(it->second.actor, hurry_atom_v);
    };
    if (with.self.role != process_role::node) return;
    dock = spawn_dock(system, with, fronts);
    const auto bound = publish_dock(system, dock, with.options, with.arrivals);
    if (!bound) {
      end();
      throw std::runtime_error("cannot listen for other nodes on " + with.options.address + ":" +
                               std::to_string(with.options.port));
    }
    port = *bound;
  }
  ~state() {
    end();
    with.dials.stop();
  }

  void end() {
    const std::lock_guard lock{mutex};
    for (auto& [node, one] : links) caf::anon_send_exit(one.actor, caf::exit_reason::user_shutdown);
    links.clear();
    if (dock) caf::anon_send_exit(dock, caf::exit_reason::user_shutdown);
    dock = nullptr;
  }
};

transport::transport(transport_options options, hello self, transport_listener& listener)
    : state_(std::make_unique<state>(std::move(options), std::move(self), listener)) {}

transport::~transport() = default;

void transport::connect_to(const std::vector<node_address>& nodes) {
  auto& s = *state_;
  const std::lock_guard lock{s.mutex};
  std::map<node_id, node_address> wanted;
  for (const auto& one : nodes)
    if (one.node != s.with.self.who.node || s.with.self.role != process_role::node) wanted[one.node] = one;
  for (auto it = s.links.begin(); it != s.links.end();) {
    const auto found = wanted.find(it->first);
    const bool stays = found != wanted.end() && found->second.address == it->second.to.address;
    if (!stays) caf::anon_send_exit(it->second.actor, caf::exit_reason::user_shutdown);
    it = stays ? std::next(it) : s.links.erase(it);
  }
  for (const auto& [node, address] : wanted) {
    if (const auto it = s.links.find(node); it != s.links.end()) {
      if (std::exchange(it->second.to.run, address.run) != address.run)
        caf::anon_send(it->second.actor, hurry_atom_v);
      continue;
    }
    state::link one{address, s.with.make_outgoing(), {}};
    one.actor = spawn_link(s.system, s.with, one.to, one.out);
    s.links.emplace(node, std::move(one));
  }
}

bool transport::send(node_id to, wire::word what, std::string_view bytes) {
  auto& s = *state_;
  std::shared_ptr<outgoing> out;
  caf::actor actor;
  {
    const std::lock_guard lock{s.mutex};
    const auto it = s.links.find(to);
    if (it != s.links.end()) {
      out = it->second.out;
      actor = it->second.actor;
    }
  }
  return s.with.put(out.get(), actor, what, bytes);
}

bool transport::reaches(node_id node) const {
  const std::lock_guard lock{state_->mutex};
  const auto it = state_->links.find(node);
  return it != state_->links.end() && it->second.out->is_open();
}

bool transport::send_to_front(const member& to, wire::word what, std::string_view bytes) {
  auto& s = *state_;
  return s.with.put(s.fronts.find(to).get(), s.dock, what, bytes);
}

void transport::broadcast(wire::word what, std::string_view bytes) {
  std::vector<node_id> nodes;
  {
    const std::lock_guard lock{state_->mutex};
    for (const auto& [node, one] : state_->links) nodes.push_back(node);
  }
  for (const auto node : nodes) send(node, what, bytes);
  for (const auto& front : state_->fronts.all()) send_to_front(front, what, bytes);
}

std::uint16_t transport::port() const { return state_->port; }

transport_figures transport::figures() const {
  const auto& f = state_->with.figures;
  return {f.words_sent, f.words_received, f.bytes_sent, f.bytes_received, f.dropped,
          f.refused,    f.malformed,      f.links_open, f.links_lost};
}

}  // namespace troupe
