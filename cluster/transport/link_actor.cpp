#include <unistd.h>

#include <caf/io/all.hpp>
#include <caf/io/basp_broker.hpp>
#include <random>

#include "cluster/transport/transport_actors.hpp"
#include "runtime/base/log.hpp"
#include "runtime/host/envelopes.hpp"

namespace troupe {
namespace {

using std::chrono::milliseconds;

/// A socket on its way from the dialer, closed when nobody takes it. One sets and one takes, in that order.
class dialed {
 public:
  dialed() = default;
  dialed(const dialed&) = delete;
  dialed& operator=(const dialed&) = delete;
  ~dialed() {
    if (socket_ >= 0) ::close(socket_);
  }
  void set(int socket) { socket_ = socket; }
  int take() { return std::exchange(socket_, -1); }

 private:
  int socket_ = -1;
};

class link_actor final : public caf::event_based_actor {
 public:
  link_actor(caf::actor_config& config, transport_shared& with, node_address to,
             std::shared_ptr<outgoing> out)
      : caf::event_based_actor(config), with_(with), to_(std::move(to)), out_(std::move(out)) {}
  const char* name() const override { return "link"; }

  caf::behavior make_behavior() override {
    harden(this);
    set_down_handler([this](caf::down_msg& gone) {
      if (dock_ && gone.source == dock_) lose("the connection is gone");
    });
    send(this, retry_atom_v, ++attempt_);
    return {
        [this](retry_atom, std::uint64_t attempt) {
          if (attempt == attempt_) dial();
        },
        [this](hurry_atom) {
          if (!is_pausing_) return;
          pause_ = {};
          dial();
        },
        [this](dialed_atom, std::uint64_t attempt) {
          if (attempt == attempt_) connect(dialed_->take());
        },
        [this](welcome_atom, const std::string& bytes) {
          if (is_from_dock() && !peer_) welcome(bytes);
        },
        [this](refuse_atom, const std::string& why) {
          if (is_from_dock() && !peer_) refused("it says of this process: " + why);
        },
        [this](unknown_atom) {
          if (is_from_dock() && peer_) lose("the other side does not know this process any more");
        },
        [this](words_atom, const std::string& message) {
          if (!is_from_dock() || !peer_) return;
          with_.take_in(*peer_, parts_, message);
          if (const auto due = with_.due_to_tell(untold_, message.size()); due > 0)
            send(dock(), took_atom_v, due);
        },
        [this](took_atom, std::uint64_t bytes) {
          if (!is_from_dock()) return;
          out_->taken_in(bytes);
          flush();
        },
        [this](flush_atom) { flush(); },
    };
  }

  void on_exit() override { part("it is not needed any more"); }

 private:
  bool is_from_dock() { return dock_ && current_sender() == dock_; }
  caf::actor dock() const { return caf::actor_cast<caf::actor>(dock_); }

  void dial() {
    forget_dock();
    is_pausing_ = false;
    ++attempt_;
    dialed_ = std::make_shared<dialed>();
    // Weak: what the dialer keeps must not keep this actor.
    with_.dials.dial(to_.address, with_.options.connect_timeout,
                     [socket = dialed_, attempt = attempt_, self = address()](int fd) {
                       socket->set(fd);
                       if (const auto link = caf::actor_cast<caf::actor>(self))
                         caf::anon_send(link, dialed_atom_v, attempt);
                     });
  }

  void connect(int fd) {
    if (fd < 0) return retry();
    auto& middleman = system().middleman();
    auto basp = middleman.named_broker<caf::io::basp_broker>(caf::atom("BASP"));
    caf::io::scribe_ptr scribe = middleman.backend().new_scribe(fd);
    request(basp, with_.options.hello_timeout, caf::connect_atom_v, std::move(scribe), std::uint16_t{0})
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
    untold_ = 0;
    parts_.clear();
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
    part(why);
    retry();
  }

  void part(const char* why) {
    forget_dock();
    out_->close();
    if (!peer_) return;
    spdlog::info("link to {}: {}", peer_->name, why);
    --with_.figures.links_open;
    ++with_.figures.links_lost;
    const auto gone = *std::exchange(peer_, std::nullopt);
    with_.listener.on_lost(gone);
  }

  void forget_dock() {
    if (dock_) demonitor(dock_->address());
    dock_ = nullptr;
  }

  void retry() {
    forget_dock();
    is_pausing_ = true;
    pause_ = std::clamp(pause_ * 2, with_.options.retry_min, with_.options.retry_max);
    // Half of it by chance, so that many who lost the same node do not come back as one.
    const auto by_chance = std::uniform_int_distribution<std::int64_t>{0, pause_.count() / 2}(random_);
    delayed_send(this, pause_ - milliseconds{by_chance}, retry_atom_v, ++attempt_);
  }

  void flush() {
    if (peer_) with_.send_waiting(*this, *out_, dock());
  }

  transport_shared& with_;
  const node_address to_;
  const std::shared_ptr<outgoing> out_;
  std::shared_ptr<dialed> dialed_;
  caf::strong_actor_ptr dock_;
  std::optional<hello> peer_;  // once it has said hello
  std::uint64_t untold_ = 0;   // bytes taken in that the dock does not know of
  wire::assembly parts_;
  std::uint64_t attempt_ = 0;  // older ones mean nothing any more
  milliseconds pause_{0};
  bool is_pausing_ = false;  // until it dials again
  std::string last_refusal_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace

caf::actor spawn_link(caf::actor_system& system, transport_shared& with, node_address to,
                      std::shared_ptr<outgoing> out) {
  return system.spawn<link_actor>(std::ref(with), std::move(to), std::move(out));
}

}  // namespace troupe
