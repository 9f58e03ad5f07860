#include "cluster/routing/router.hpp"

#include <algorithm>
#include <random>

#include "runtime/base/assert.hpp"
#include "runtime/base/hash.hpp"
#include "runtime/base/thread_name.hpp"
#include "runtime/host/pending_slots.hpp"
#include "runtime/store/keys.hpp"

namespace troupe {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t ports_max = 256;
constexpr milliseconds tick{5};

/// A ticket's upper 8 bits are the port's number, the others are the place there.
constexpr unsigned port_shift = 56;

/// Nothing came of it: another node, or the same one a little later, may do it.
bool may_go_again(reply_status status) {
  return status == reply_status::not_primary || status == reply_status::stopping ||
         status == reply_status::unknown;
}

/// True of the attempt that is answered, and said without a look for what earlier ones did.
bool tells_of_itself_only(reply_status status) {
  return status == reply_status::overloaded || status == reply_status::deadline_passed ||
         status == reply_status::in_progress;
}

}  // namespace

/// One I/O loop's pending commands. What other threads tell is put aside until drain().
class routed_port final : public command_port {
 public:
  routed_port(router& home, std::size_t number, std::function<void()> wake)
      : home_(home), number_(number), wake_(std::move(wake)), ids_(std::random_device{}()) {}
  ~routed_port() override { home_.forget(this); }

  void submit(command&& what, reply_handler on_reply) override {
    if (slots_.used() >= home_.options_.pending_max) {
      refused_.emplace_back(std::move(on_reply), reply{reply_status::overloaded, {}, 0, false});
      return wake_once();
    }
    const auto slot = slots_.take();
    auto& s = slots_[slot];
    s.on_reply = std::move(on_reply);
    s.shard = shard_of(what.target, home_.map_.shard_count());
    s.give_up_at = what.deadline + home_.options_.grace;
    s.what = std::move(what);
    // With a name it may go again: whoever has done it knows.
    if (!s.what.is_query && s.what.id.is_nil()) {
      s.what.id = random_id();
      s.what.fingerprint = stable_hash(s.what.body);
    }
    unsent_.push_back(slot);
  }

  void flush() override {
    const auto now = steady_clock::now();
    for (const auto slot : unsent_) send(slot, now);
    unsent_.clear();
  }

  void drain() override {
    bool has_moved = false;
    std::vector<node_id> lost;
    {
      const std::lock_guard lock{mutex_};
      std::swap(arrived_, draining_);
      std::swap(lost, lost_);
      has_moved = std::exchange(has_moved_, false);
      is_woken_ = false;
    }
    const auto now = steady_clock::now();
    for (auto& one : draining_) take(std::move(one), now);
    draining_.clear();
    if (has_moved || !lost.empty()) send_elsewhere(lost, now);
    send_due(now);
    for (auto& [on_reply, what] : std::exchange(refused_, {})) on_reply(std::move(what));
  }

  void expire(steady_clock::time_point now) override {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      auto& s = slots_[slot];
      if (!s.on_reply) continue;
      const bool waits = s.sent_to == node_id::none;
      if (s.give_up_at > now && !(waits && s.what.deadline <= now)) continue;
      give_up(slot);
    }
  }

  std::size_t pending() const override { return slots_.used() + refused_.size(); }

  // Any thread.
  void on_reply(wire::shard_reply&& what) {
    {
      const std::lock_guard lock{mutex_};
      arrived_.push_back(std::move(what));
      if (std::exchange(is_woken_, true)) return;
    }
    wake_();
  }
  void on_lost(node_id node) {
    {
      const std::lock_guard lock{mutex_};
      lost_.push_back(node);
    }
    wake_once();
  }
  void on_moved() {
    {
      const std::lock_guard lock{mutex_};
      has_moved_ = true;
    }
    wake_once();
  }
  /// Something may be due.
  bool wake_if_waiting() {
    if (waiting_count_.load(std::memory_order_relaxed) == 0) return false;
    wake_once();
    return true;
  }

 private:
  struct pending_slot {
    reply_handler on_reply;
    command what;
    shard_id shard = 0;
    node_id sent_to = node_id::none;     // of the attempt that is open; none: it waits to be sent
    node_id refused_by = node_id::none;  // while it waits: who did not take it
    bool may_have_run = false;           // by an attempt that ended without an answer that nothing came of it
    milliseconds pause{0};
    steady_clock::time_point due{};
    steady_clock::time_point give_up_at{};
  };

  uuid random_id() {
    std::array<std::uint64_t, 2> bits{ids_(), ids_()};
    return make_uuid_v8({reinterpret_cast<const char*>(bits.data()), sizeof bits});
  }

  /// Another attempt. What is still said of the one before reaches nobody: a refusal, though true, is not the
  /// end of a command that is under way again.
  void send(std::uint32_t slot, steady_clock::time_point now) {
    auto& s = slots_[slot];
    if (s.sent_to != node_id::none) s.may_have_run = true;
    slots_.rename(slot);
    const auto to = home_.map_.primary_of(s.shard);
    bool is_sent = false;
    if (to != node_id::none) {
      buffer_.clear();
      const auto ticket = static_cast<std::uint64_t>(number_) << port_shift | slots_.ticket_of(slot);
      wire::encode(buffer_, {ticket, s.shard, s.what}, now);
      is_sent = home_.to_.send(to, buffer_);
    }
    if (!is_sent) return wait(slot, now);
    ++home_.sent_;
    s.sent_to = to;
  }

  /// Until it goes again.
  void wait(std::uint32_t slot, steady_clock::time_point now) {
    auto& s = slots_[slot];
    s.pause = std::clamp(s.pause * 2, home_.options_.retry_after, home_.options_.retry_after_max);
    s.due = now + s.pause;
    s.refused_by = std::exchange(s.sent_to, node_id::none);
    waiting_.push_back(slots_.ticket_of(slot));
    waiting_count_.store(waiting_.size(), std::memory_order_relaxed);
    home_.to_.refresh();
    home_.expect_ticks();
  }

  void send_due(steady_clock::time_point now) {
    if (waiting_.empty()) return;
    for (const auto ticket : std::exchange(waiting_, {})) {
      const auto slot = slots_.find(ticket);
      if (!slot) continue;
      const auto& s = slots_[*slot];
      if (!s.on_reply || s.sent_to != node_id::none) continue;
      if (s.due > now) {
        waiting_.push_back(ticket);
      } else if (s.what.deadline <= now) {
        give_up(*slot);
      } else {
        ++home_.retried_;
        send(*slot, now);
      }
    }
    waiting_count_.store(waiting_.size(), std::memory_order_relaxed);
  }

  /// What was sent to a node that is lost, or is the primary no longer. It may be a little early: who gets a
  /// command before it may serve keeps it, or says so.
  void send_elsewhere(const std::vector<node_id>& lost, steady_clock::time_point now) {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      auto& s = slots_[slot];
      if (!s.on_reply) continue;
      if (s.sent_to == node_id::none) {
        // Another one is the primary now: there is nothing to wait for, and if it does not know that yet, not
        // for long.
        const auto primary = home_.map_.primary_of(s.shard);
        if (primary == node_id::none || primary == s.refused_by) continue;
        s.due = now;
        if (s.refused_by != node_id::none) s.pause = {};
        continue;
      }
      const bool is_lost = std::find(lost.begin(), lost.end(), s.sent_to) != lost.end();
      if (!is_lost && home_.map_.primary_of(s.shard) == s.sent_to) continue;
      ++home_.retried_;
      s.pause = {};
      if (is_lost && home_.map_.primary_of(s.shard) == s.sent_to) {
        s.may_have_run = true;
        wait(slot, now);
      } else {
        send(slot, now);
      }
    }
  }

  void take(wire::shard_reply&& one, steady_clock::time_point now) {
    const auto slot = slots_.find(one.ticket & ((std::uint64_t{1} << port_shift) - 1));
    if (!slot || !slots_[*slot].on_reply) return;
    auto& s = slots_[*slot];
    const auto status = one.what.status;
    const bool is_open = s.may_have_run && !s.what.is_query && tells_of_itself_only(status);
    if (!may_go_again(status) && !is_open) return deliver(*slot, std::move(one.what));
    if (s.sent_to == node_id::none) return;  // it waits already
    if (status == reply_status::unknown) s.may_have_run = true;
    if (now >= s.what.deadline) return give_up(*slot);
    wait(*slot, now);
  }

  void give_up(std::uint32_t slot) {
    const auto& s = slots_[slot];
    const bool may_run = s.may_have_run || s.sent_to != node_id::none;
    const bool is_unknown = may_run && !s.what.is_query;
    ++home_.gave_up_;
    deliver(slot, {is_unknown ? reply_status::unknown : reply_status::not_primary, {}, 0, false});
  }

  void deliver(std::uint32_t slot, reply&& what) {
    const auto on_reply = slots_.give_back(slot).on_reply;
    on_reply(std::move(what));
  }

  void wake_once() {
    {
      const std::lock_guard lock{mutex_};
      if (std::exchange(is_woken_, true)) return;
    }
    wake_();
  }

  router& home_;
  const std::size_t number_;
  const std::function<void()> wake_;

  // The loop's thread only.
  std::mt19937_64 ids_;
  pending_slots<pending_slot, port_shift - 32> slots_;
  std::vector<std::uint32_t> unsent_;
  std::vector<std::uint64_t> waiting_;  // their names
  std::vector<std::pair<reply_handler, reply>> refused_;
  std::vector<wire::shard_reply> draining_;
  std::string buffer_;

  std::atomic<std::size_t> waiting_count_{0};
  std::mutex mutex_;
  std::vector<wire::shard_reply> arrived_;  // guarded by mutex_
  std::vector<node_id> lost_;               // guarded by mutex_
  bool has_moved_ = false;                  // guarded by mutex_
  bool is_woken_ = false;                   // guarded by mutex_
};

router::router(const shard_map& map, ways to, router_options options)
    : map_(map), to_(std::move(to)), options_(options), ticker_([this] { run(); }) {}

router::~router() {
  {
    const std::lock_guard lock{mutex_};
    is_stopping_ = true;
  }
  woken_.notify_all();
  ticker_.join();
}

std::unique_ptr<command_port> router::make_port(std::function<void()> wake) {
  const std::lock_guard lock{mutex_};
  TROUPE_ASSERT(ports_.size() < ports_max, "more I/O loops than a ticket can name");
  auto made = std::make_unique<routed_port>(*this, ports_.size(), std::move(wake));
  ports_.push_back(made.get());
  return made;
}

void router::forget(const routed_port* port) {
  const std::lock_guard lock{mutex_};
  std::replace(ports_.begin(), ports_.end(), const_cast<routed_port*>(port),
               static_cast<routed_port*>(nullptr));
}

void router::on_reply(wire::shard_reply&& what) {
  const auto number = static_cast<std::size_t>(what.ticket >> port_shift);
  const std::lock_guard lock{mutex_};
  if (number < ports_.size() && ports_[number] != nullptr) ports_[number]->on_reply(std::move(what));
}

void router::on_lost(node_id node) {
  const std::lock_guard lock{mutex_};
  for (auto* port : ports_)
    if (port != nullptr) port->on_lost(node);
}

void router::on_moved() {
  const std::lock_guard lock{mutex_};
  for (auto* port : ports_)
    if (port != nullptr) port->on_moved();
}

void router::expect_ticks() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(ticks_are_wanted_, true)) return;
  }
  woken_.notify_all();
}

/// While something waits to be sent again, its loop is woken every few milliseconds.
void router::run() {
  name_thread("troupe-router");
  for (std::unique_lock lock{mutex_}; !is_stopping_;) {
    woken_.wait(lock, [this] { return is_stopping_ || ticks_are_wanted_; });
    woken_.wait_for(lock, tick, [this] { return is_stopping_; });
    ticks_are_wanted_ = false;
    for (auto* port : ports_)
      if (port != nullptr && port->wake_if_waiting()) ticks_are_wanted_ = true;
  }
}

router_figures router::figures() const { return {sent_, retried_, gave_up_}; }

}  // namespace troupe
