#include "runtime/host/bridge.hpp"

#include <caf/actor_companion.hpp>
#include <mutex>

#include "runtime/host/pending_slots.hpp"
#include "runtime/host/shard_actor.hpp"

namespace troupe {
namespace {

using std::chrono::steady_clock;

/// All of CAF that an I/O loop touches: one companion, an actor without a mailbox, whose "handler" runs on
/// whatever thread sends to it and only puts the replies aside.
class caf_bridge final : public command_port {
 public:
  caf_bridge(caf::actor_system& system, const shard_environment& shards, std::function<void()> wake,
             bridge_options options)
      : shards_(shards), wake_(std::move(wake)), options_(options), outgoing_(shards.shards.size()) {
    self_ = system.spawn<caf::actor_companion, caf::hidden>();
    companion()->on_enqueue([this](caf::mailbox_element_ptr element) { receive(std::move(element)); });
  }

  ~caf_bridge() override {
    companion()->on_enqueue(nullptr);
    caf::error reason{caf::exit_reason::normal};
    companion()->cleanup(std::move(reason), nullptr);
  }

  void submit(command&& what, reply_handler on_reply) override {
    if (slots_.used() >= options_.pending_max) {
      refused_.emplace_back(std::move(on_reply), reply{reply_status::overloaded, {}, 0, false});
      wake_once();
      return;
    }
    const auto slot = slots_.take();
    slots_[slot].on_reply = std::move(on_reply);
    slots_[slot].give_up_at = what.deadline + options_.grace;
    const auto to = shard_of(what.target, static_cast<std::uint16_t>(outgoing_.size()));
    if (outgoing_[to].empty()) dirty_.push_back(to);
    outgoing_[to].push_back({slots_.ticket_of(slot), std::move(what)});
  }

  void flush() override {
    for (const auto to : dirty_) {
      auto batch = std::make_shared<command_batch>();
      batch->front = self_;
      batch->commands = std::exchange(outgoing_[to], {});
      caf::anon_send(shards_.shards[to], std::move(batch));
    }
    dirty_.clear();
  }

  void drain() override {
    {
      const std::lock_guard lock{mutex_};
      std::swap(arrived_, draining_);
      is_woken_ = false;
    }
    for (auto& batch : draining_) {
      for (auto& one : batch->replies) deliver(one.ticket, std::move(one.what));
    }
    draining_.clear();
    for (auto& [on_reply, what] : std::exchange(refused_, {})) on_reply(std::move(what));
  }

  void expire(steady_clock::time_point now) override {
    for (std::uint32_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot].on_reply && slots_[slot].give_up_at <= now) {
        deliver(slots_.ticket_of(slot), {reply_status::unknown, {}, 0, false});
      }
    }
  }

  std::size_t pending() const override { return slots_.used() + refused_.size(); }

 private:
  struct pending_slot {
    reply_handler on_reply;
    steady_clock::time_point give_up_at{};
  };

  caf::actor_companion* companion() { return caf::actor_cast<caf::actor_companion*>(self_); }

  void deliver(std::uint64_t ticket, reply&& what) {
    const auto slot = slots_.find(ticket);
    if (!slot || !slots_[*slot].on_reply) return;
    const auto on_reply = slots_.give_back(*slot).on_reply;
    on_reply(std::move(what));
  }

  /// On the sender's thread.
  void receive(caf::mailbox_element_ptr element) {
    auto message = element->move_content_to_message();
    if (!message.match_elements<reply_batch_ptr>()) return;
    {
      const std::lock_guard lock{mutex_};
      arrived_.push_back(message.get_as<reply_batch_ptr>(0));
      if (is_woken_) return;
      is_woken_ = true;
    }
    wake_();
  }

  void wake_once() {
    {
      const std::lock_guard lock{mutex_};
      if (is_woken_) return;
      is_woken_ = true;
    }
    wake_();
  }

  const shard_environment& shards_;
  const std::function<void()> wake_;
  const bridge_options options_;
  caf::actor self_;

  // The loop's thread only.
  pending_slots<pending_slot> slots_;
  std::vector<std::vector<ticketed_command>> outgoing_;  // by shard
  std::vector<shard_id> dirty_;
  std::vector<std::pair<reply_handler, reply>> refused_;
  std::vector<reply_batch_ptr> draining_;

  std::mutex mutex_;
  std::vector<reply_batch_ptr> arrived_;  // guarded by mutex_
  bool is_woken_ = false;                 // guarded by mutex_
};

}  // namespace

std::unique_ptr<command_port> make_bridge(void* actor_system, const shard_environment& shards,
                                          std::function<void()> wake, bridge_options options) {
  return std::make_unique<caf_bridge>(*static_cast<caf::actor_system*>(actor_system), shards, std::move(wake),
                                      options);
}

}  // namespace troupe
