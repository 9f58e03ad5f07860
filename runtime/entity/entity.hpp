#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/assert.hpp"
#include "runtime/base/hash.hpp"
#include "runtime/base/random.hpp"
#include "runtime/base/time.hpp"
#include "runtime/base/uuid.hpp"
#include "runtime/entity/codec.hpp"
#include "runtime/entity/effects.hpp"
#include "runtime/entity/rejection.hpp"
#include "runtime/entity/row_overlay.hpp"
#include "runtime/entity/table.hpp"

namespace troupe {

/// What the primary stamps on one command; all that a handler may know of the world.
struct call {
  timestamp now;
  std::uint64_t id_seed = 0;
};

/// The untyped side of an entity, which the runtime drives (see activation). Not for a kind's author.
class entity_base {
 public:
  entity_base() = default;
  entity_base(const entity_base&) = delete;
  entity_base& operator=(const entity_base&) = delete;
  virtual ~entity_base() = default;

 protected:
  friend class activation;
  virtual void load_state(std::string_view bytes) = 0;
  virtual void save_state(std::string& out) const = 0;

  std::string key_;
  row_overlay* rows_ = nullptr;
  std::uint64_t version_ = 0;
  bool edited_ = false;
  timestamp now_;
  id_source ids_{0};
  effects effects_;
};

/// The base of every kind. `Kind` is the deriving class, `State` a described struct that stays small.
///
/// Handlers are `result<Reply> on(const Command&)`, or const for a query. They are synchronous and
/// deterministic: only the arguments, the state, the rows and the functions below. First every check, then
/// edit(): a refusal leaves no trace.
template <class Kind, class State>
class entity : public entity_base {
 protected:
  const State& state() const { return state_; }
  /// The state, to be changed by this command.
  State& edit() {
    edited_ = true;
    return state_;
  }
  /// How many commands have changed the state; 0 for an entity that has never been written.
  std::uint64_t version() const { return version_; }
  bool exists() const { return version_ > 0; }

  const std::string& key() const { return key_; }
  /// The time that the primary stamped on this command.
  timestamp now() const { return now_; }
  /// A fresh id, ordered by time.
  uuid new_id() {
    const auto high = ids_.next();
    return make_uuid_v7(now_, high, ids_.next());
  }
  /// The id of the thing with that number among those of this entity, made at that time. Follows from its
  /// arguments and the key alone, so a row under its number need not hold its id: number_in() leads to the
  /// row, and making the id again tells whether it is the one that was asked for.
  uuid numbered_id(timestamp made_at, std::uint64_t number) const {
    return make_numbered_uuid_v7(made_at, stable_hash(key_), number);
  }

  template <class Key, class Row>
  table<Key, Row> rows(table_no number) const {
    return {*rows_, number};
  }

  /// Sends a command to another entity: after commit, exactly once in effect.
  template <class Target, class Message>
  void send(std::string_view target_key, const Message& message) {
    effects_.sends.push_back({{Target::options.id, std::string{target_key}},
                              Target::template number_of<Message>(),
                              encode(message)});
  }

  /// Sets a durable timer: `message` comes to this entity as a command at `due` or soon after, once.
  template <class Message>
  timer_id at(timestamp due, const Message& message) {
    const timer_id id{due, ids_.next()};
    effects_.timers_set.push_back({id, Kind::template number_of<Message>(), encode(message)});
    return id;
  }
  template <class Message>
  timer_id after(std::chrono::milliseconds delay, const Message& message) {
    return at(now_ + delay, message);
  }
  /// A timer that has fired or does not exist is nothing to cancel.
  void cancel(const timer_id& id) { effects_.timers_cancelled.push_back(id); }

 private:
  void load_state(std::string_view bytes) final {
    state_ = State{};
    if (!bytes.empty()) TROUPE_ASSERT(decode(bytes, state_), "stored state does not decode");
  }
  void save_state(std::string& out) const final { encode_fields(out, state_); }

  State state_{};
};

}  // namespace troupe
