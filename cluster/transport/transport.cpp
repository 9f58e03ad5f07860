#include "cluster/transport/transport.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <caf/all.hpp>
#include <caf/io/all.hpp>
#include <caf/io/basp_broker.hpp>
#include <charconv>
#include <map>
#include <random>
#include <stdexcept>

#include "cluster/transport/outgoing.hpp"
#include "runtime/host/envelopes.hpp"

CAF_BEGIN_TYPE_ID_BLOCK(troupe_transport, first_custom_type_id)
CAF_ADD_ATOM(troupe_transport, troupe, hello_atom, "hello")
CAF_ADD_ATOM(troupe_transport, troupe, welcome_atom, "welcome")
CAF_ADD_ATOM(troupe_transport, troupe, refuse_atom, "refuse")
CAF_ADD_ATOM(troupe_transport, troupe, words_atom, "words")
CAF_ADD_ATOM(troupe_transport, troupe, took_atom, "took")
CAF_ADD_ATOM(troupe_transport, troupe, flush_atom, "flush")
CAF_ADD_ATOM(troupe_transport, troupe, retry_atom, "retry")
CAF_END_TYPE_ID_BLOCK(troupe_transport)

namespace caf::detail {
/// CAF makes a node's id of its hardware addresses and process id, so a container that starts again would get
/// its old id, and messages for its former life (caf.md, section 0.8). This one is asked instead.
unsigned get_process_id() {
  static const unsigned value = std::random_device{}() | 1U;
  return value;
}
}  // namespace caf::detail

namespace troupe {
namespace {

using std::chrono::milliseconds;

struct figures_now {
  std::atomic<std::uint64_t> words_sent{0}, words_received{0}, bytes_sent{0}, bytes_received{0}, dropped{0},
      refused{0}, malformed{0}, links_open{0}, links_lost{0};
};

/// What the actors of one transport share. Outlives them.
struct shared {
  transport_options options;
  hello self;
  transport_listener& listener;
  figures_now figures;

  std::string own_hello() const {
    std::string out;
    encode(out, self);
    return out;
  }
  std::unique_ptr<outgoing> make_outgoing() const {
    return std::make_unique<outgoing>(options.message_bytes_max, options.waiting_bytes_max,
                                      options.in_flight_bytes_max);
  }
  /// What arrived from a process that has said hello.
  void take_in(const hello& from, const std::string& message) {
    figures.bytes_received += message.size();
    const bool is_whole = wire::for_each_word(message, [&](wire::word what, std::string_view bytes) {
      ++figures.words_received;
      listener.on_word(from, what, bytes);
    });
    if (!is_whole && figures.malformed++ % 1000 == 0)
      spdlog::warn("{} sent what is no message; it is ignored", from.name);
  }
  void count_sent(const std::string& message) { figures.bytes_sent += message.size(); }
};

/// A socket that is connected, or -1. CAF's own connect blocks its one middleman actor (caf.md, section 0.9).
int connect_within(const std::string& address, std::uint16_t port, milliseconds timeout) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return -1;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int fault = ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ? 0 : errno;
  if (fault == EINPROGRESS) {
    pollfd wait{fd, POLLOUT, 0};
    socklen_t size = sizeof fault;
    if (::poll(&wait, 1, static_cast<int>(timeout.count())) != 1 ||
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) != 0)
      fault = ETIMEDOUT;
  }
  if (fault == 0) return fd;
  ::close(fd);
  return -1;
}

struct endpoint {
  std::string address;
  std::uint16_t port = 0;
};

endpoint parse(const std::string& text) {
  endpoint out;
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return out;
  out.address = text.substr(0, colon);
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), out.port);
  return out;
}

/// The way to one node: connects, says hello, sends what waits, and starts over when the connection is lost.
/// Detached, because a connect waits.
class link_actor final : public caf::event_based_actor {
 public:
  link_actor(caf::actor_config& config, shared* with, node_address to, std::shared_ptr<outgoing> out)
      : caf::event_based_actor(config), with_(*with), to_(std::move(to)), out_(std::move(out)) {}
  const char* name() const override { return "link"; }

  caf::behavior make_behavior() override {
    harden(this);
    set_down_handler([this](caf::down_msg& gone) {
      if (dock_ && gone.source == dock_) lose("the connection is gone");
    });
    send(this, retry_atom_v, ++attempt_);
    return {
        [this](retry_atom, std::uint64_t attempt) {
          if (attempt == attempt_) connect();
        },
        [this](welcome_atom, const std::string& bytes) {
          if (is_from_dock() && !peer_) welcome(bytes);
        },
        [this](refuse_atom, const std::string& why) {
          if (is_from_dock() && !peer_) refused(why);
        },
        [this](words_atom, const std::string& message) {
          if (!is_from_dock() || !peer_) return;
          with_.take_in(*peer_, message);
          send(dock(), took_atom_v, static_cast<std::uint64_t>(message.size()));
        },
        [this](took_atom, std::uint64_t bytes) {
          if (!is_from_dock()) return;
          out_->taken_in(bytes);
          flush();
        },
        [this](flush_atom) { flush(); },
    };
  }

  void on_exit() override {
    if (peer_) lose("this process ends");
    dock_ = nullptr;
  }

 private:
  bool is_from_dock() { return dock_ && current_sender() == dock_; }
  caf::actor dock() const { return caf::actor_cast<caf::actor>(dock_); }

  void connect() {
    forget_dock();
    ++attempt_;
    const auto [address, port] = parse(to_.address);
    const int fd = connect_within(address, port, with_.options.connect_timeout);
    if (fd < 0) return retry();
    auto& middleman = system().middleman();
    auto basp = middleman.named_broker<caf::io::basp_broker>(caf::atom("BASP"));
    caf::io::scribe_ptr scribe = middleman.backend().new_scribe(fd);
    request(basp, with_.options.hello_timeout, caf::connect_atom_v, std::move(scribe), port)
        .then(
            [this, attempt = attempt_](caf::node_id&, caf::strong_actor_ptr& dock, std::set<std::string>&) {
              if (attempt != attempt_) return;
              if (!dock) return retry();
              dock_ = dock;
              monitor(this->dock());
              send(this->dock(), hello_atom_v, with_.own_hello());
              delayed_send(this, with_.options.hello_timeout, retry_atom_v, attempt_);
            },
            [this, attempt = attempt_](caf::error&) {
              if (attempt == attempt_) retry();
            });
  }

  void welcome(const std::string& bytes) {
    const auto theirs = decode_hello(bytes);
    auto why = theirs ? objection(with_.self, *theirs) : std::string{"its hello is none"};
    if (why.empty() && theirs->who.node != to_.node) why = "another node is at its address";
    if (!why.empty()) return refused(why);
    ++attempt_;
    peer_ = theirs;
    pause_ = {};
    out_->open();
    ++with_.figures.links_open;
    with_.listener.on_hello(*peer_);
  }

  void refused(const std::string& why) {
    ++with_.figures.refused;
    if (why != last_refusal_)
      spdlog::error("node {} at {} is not talked to: {}", static_cast<std::uint32_t>(to_.node), to_.address,
                    why);
    last_refusal_ = why;
    pause_ = with_.options.retry_max;
    forget_dock();
    retry();
  }

  void lose(const char* why) {
    forget_dock();
    out_->close();
    if (peer_) {
      spdlog::info("link to {}: {}", peer_->name, why);
      --with_.figures.links_open;
      ++with_.figures.links_lost;
      const auto gone = *std::exchange(peer_, std::nullopt);
      with_.listener.on_lost(gone);
    }
    retry();
  }

  void forget_dock() {
    if (dock_) demonitor(dock_->address());
    dock_ = nullptr;
  }

  void retry() {
    forget_dock();
    pause_ = std::clamp(pause_ * 2, with_.options.retry_min, with_.options.retry_max);
    // Half of it by chance, so that many who lost the same node do not come back as one.
    const auto by_chance = std::uniform_int_distribution<std::int64_t>{0, pause_.count() / 2}(random_);
    delayed_send(this, pause_ - milliseconds{by_chance}, retry_atom_v, ++attempt_);
  }

  void flush() {
    if (!peer_) return;
    for (std::string message; out_->take(message);) {
      with_.count_sent(message);
      send(dock(), words_atom_v, std::move(message));
    }
  }

  shared& with_;
  const node_address to_;
  const std::shared_ptr<outgoing> out_;
  caf::strong_actor_ptr dock_;
  std::optional<hello> peer_;  // once it has said hello
  std::uint64_t attempt_ = 0;  // older ones mean nothing any more
  milliseconds pause_{0};
  std::string last_refusal_;
  std::minstd_rand random_{std::random_device{}()};
};

/// Fronts that are connected, for who has something to tell them.
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

/// Where other processes arrive: takes in what they send, and answers fronts.
class dock_actor final : public caf::event_based_actor {
 public:
  dock_actor(caf::actor_config& config, shared* with, front_list* fronts)
      : caf::event_based_actor(config), with_(*with), fronts_(*fronts) {}
  const char* name() const override { return "dock"; }

  caf::behavior make_behavior() override {
    harden(this);
    set_down_handler([this](caf::down_msg& gone) { lose(gone.source); });
    return {
        [this](hello_atom, const std::string& bytes) { greet(bytes); },
        [this](words_atom, const std::string& message) {
          const auto it = peers_.find(current_sender()->address());
          if (it == peers_.end()) return;
          with_.take_in(it->second.who, message);
          answer(took_atom_v, static_cast<std::uint64_t>(message.size()));
        },
        [this](took_atom, std::uint64_t bytes) {
          const auto it = peers_.find(current_sender()->address());
          if (it == peers_.end() || !it->second.out) return;
          it->second.out->taken_in(bytes);
          flush(it->second);
        },
        [this](flush_atom) {
          for (auto& [address, one] : peers_) flush(one);
        },
    };
  }

  void on_exit() override { peers_.clear(); }

 private:
  struct arrival {
    hello who;
    caf::actor link;
    std::shared_ptr<outgoing> out;  // of fronts
  };

  template <class... Ts>
  void answer(Ts&&... what) {
    send(caf::actor_cast<caf::actor>(current_sender()), std::forward<Ts>(what)...);
  }

  void greet(const std::string& bytes) {
    if (!current_sender()) return;
    const auto theirs = decode_hello(bytes);
    const auto why = theirs ? objection(with_.self, *theirs) : std::string{"its hello is none"};
    if (!why.empty()) {
      if (with_.figures.refused++ % 1000 == 0)
        spdlog::error("a process that wants to connect is refused: {}", why);
      return answer(refuse_atom_v, why);
    }
    const auto address = current_sender()->address();
    lose(address);
    arrival one{*theirs, caf::actor_cast<caf::actor>(current_sender()), nullptr};
    monitor(one.link);
    if (theirs->role == process_role::front) {
      one.out = with_.make_outgoing();
      one.out->open();
      fronts_.add(theirs->who, one.out);
    }
    peers_.insert_or_assign(address, std::move(one));
    answer(welcome_atom_v, with_.own_hello());
    with_.listener.on_hello(*theirs);
  }

  void lose(const caf::actor_addr& address) {
    const auto it = peers_.find(address);
    if (it == peers_.end()) return;
    const auto gone = std::move(it->second);
    peers_.erase(it);
    demonitor(gone.link->address());
    if (!gone.out) return;  // this side has a link of its own to a node
    fronts_.remove(gone.who.who);
    with_.listener.on_lost(gone.who);
  }

  void flush(arrival& to) {
    if (!to.out) return;
    for (std::string message; to.out->take(message);) {
      with_.count_sent(message);
      send(to.link, words_atom_v, std::move(message));
    }
  }

  shared& with_;
  front_list& fronts_;
  std::map<caf::actor_addr, arrival> peers_;
};

caf::actor_system_config& configure(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::troupe_transport>();
  config.load<caf::io::middleman>();
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", static_cast<std::size_t>(1));
  config.set("scheduler.max-throughput", static_cast<std::size_t>(50));
  config.set("middleman.workers", static_cast<std::size_t>(0));
  config.set("middleman.heartbeat-interval", caf::timespan{std::chrono::milliseconds{500}});
  config.set("middleman.connection-timeout", caf::timespan{std::chrono::milliseconds{3000}});
  return config;
}

}  // namespace

struct transport::state {
  shared with;
  front_list fronts;
  caf::actor_system_config config;
  caf::actor_system system;
  caf::actor dock;
  std::uint16_t port = 0;
  struct link {
    node_address to;
    std::shared_ptr<outgoing> out;
    caf::actor actor;
  };
  std::mutex mutex;
  std::map<node_id, link> links;  // guarded by mutex

  state(transport_options options, hello self, transport_listener& listener)
      : with{std::move(options), std::move(self), listener, {}}, system(configure(config)) {
    if (with.self.role != process_role::node) return;
    dock = system.spawn<dock_actor>(&with, &fronts);
    auto bound = system.middleman().publish(dock, with.options.port, with.options.address.c_str(), true);
    if (!bound) {
      end();
      throw std::runtime_error("cannot listen for other nodes on " + with.options.address + ":" +
                               std::to_string(with.options.port));
    }
    port = *bound;
  }
  ~state() { end(); }

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
  std::map<node_id, std::string> wanted;
  for (const auto& one : nodes)
    if (one.node != s.with.self.who.node || s.with.self.role != process_role::node)
      wanted[one.node] = one.address;
  for (auto it = s.links.begin(); it != s.links.end();) {
    const auto found = wanted.find(it->first);
    const bool stays = found != wanted.end() && found->second == it->second.to.address;
    if (!stays) caf::anon_send_exit(it->second.actor, caf::exit_reason::user_shutdown);
    it = stays ? std::next(it) : s.links.erase(it);
  }
  for (const auto& [node, address] : wanted) {
    if (s.links.contains(node)) continue;
    state::link one{{node, address}, s.with.make_outgoing(), {}};
    one.actor = s.system.spawn<link_actor, caf::detached>(&s.with, one.to, one.out);
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
  const auto result = out ? out->put(what, bytes) : outgoing::put_result::dropped;
  if (result == outgoing::put_result::dropped) {
    ++s.with.figures.dropped;
    return false;
  }
  ++s.with.figures.words_sent;
  if (result == outgoing::put_result::wake) caf::anon_send(actor, flush_atom_v);
  return true;
}

bool transport::send_to_front(const member& to, wire::word what, std::string_view bytes) {
  auto& s = *state_;
  const auto out = s.fronts.find(to);
  const auto result = out ? out->put(what, bytes) : outgoing::put_result::dropped;
  if (result == outgoing::put_result::dropped) {
    ++s.with.figures.dropped;
    return false;
  }
  ++s.with.figures.words_sent;
  if (result == outgoing::put_result::wake) caf::anon_send(s.dock, flush_atom_v);
  return true;
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
