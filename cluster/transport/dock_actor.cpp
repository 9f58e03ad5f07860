#include "cluster/transport/transport_actors.hpp"
#include "runtime/base/log.hpp"
#include "runtime/host/envelopes.hpp"

namespace troupe {
namespace {

class dock_actor final : public caf::event_based_actor {
 public:
  dock_actor(caf::actor_config& config, transport_shared& with, front_list& fronts)
      : caf::event_based_actor(config), with_(with), fronts_(fronts) {}
  const char* name() const override { return "dock"; }

  caf::behavior make_behavior() override {
    harden(this);
    set_down_handler([this](caf::down_msg& gone) { lose(gone.source); });
    send(this, sweep_atom_v);
    return {
        [this](sweep_atom) {
          with_.figures.refused += with_.arrivals.sweep();
          delayed_send(this, with_.options.newcomer_patience / 5, sweep_atom_v);
        },
        [this](hello_atom, const std::string& bytes) { greet(bytes); },
        [this](words_atom, const std::string& message) {
          const auto it = peers_.find(current_sender()->address());
          // It was lost together with an older connection, after it had said hello on this one.
          if (it == peers_.end()) return answer(unknown_atom_v);
          with_.take_in(it->second.who, it->second.parts, message);
          if (const auto due = with_.due_to_tell(it->second.untold, message.size()); due > 0)
            answer(took_atom_v, due);
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
    std::uint64_t untold = 0;       // bytes taken in that the link does not know of
    wire::assembly parts{};
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
    if (theirs->role == process_role::node) with_.hurry(theirs->who.node);
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
    if (to.out) with_.send_waiting(*this, *to.out, to.link);
  }

  transport_shared& with_;
  front_list& fronts_;
  std::map<caf::actor_addr, arrival> peers_;
};

}  // namespace

caf::actor spawn_dock(caf::actor_system& system, transport_shared& with, front_list& fronts) {
  return system.spawn<dock_actor>(std::ref(with), std::ref(fronts));
}

}  // namespace troupe
