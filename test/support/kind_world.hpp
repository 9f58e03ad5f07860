#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "runtime/entity/route.hpp"
#include "test/support/kind_test_kit.hpp"

namespace troupe::test {

/// Entities of many kinds that write to each other, without I/O: outboxes wait in one queue until
/// deliver_all().
class kind_world {
 public:
  explicit kind_world(kind_registry kinds) : kinds_(std::move(kinds)) {}

  template <class Kind, class Message>
  answer<reply_of<Kind, Message>> tell(const std::string& key, const Message& message) {
    return answer<reply_of<Kind, Message>>{
        run({Kind::options.id, key}, Kind::template number_of<Message>(), encode(message))};
  }
  outcome run(const entity_ref& target, message_no message, std::string_view body,
              const version_condition& expect_version = {}) {
    auto out = entity(target).run(next_call(), message, body, expect_version);
    queue(out);
    return out;
  }

  /// Delivers outboxes until none is left. `pick` chooses which of n waiting messages is next; the first
  /// unless set.
  void deliver_all() {
    for (int delivered = 0; !waiting_.empty(); ++delivered) {
      kit_check(delivered < deliveries_max, "the entities never stop writing to each other");
      const auto at = waiting_.begin() + static_cast<std::ptrdiff_t>(pick ? pick(waiting_.size()) : 0);
      const auto message = std::move(*at);
      waiting_.erase(at);
      const auto out = run(message.target, message.message, message.body);
      kit_check(out.what == outcome::status::ok, "a message from an outbox was refused");
    }
  }
  std::function<std::size_t(std::size_t)> pick;

  /// Time passes: due timers run in order, and what they send is delivered.
  void advance(std::chrono::milliseconds by) {
    const auto until = now_ + by;
    while (auto* next = next_due(until)) {
      now_ = std::max(now_, next->timers().begin()->first.due);
      queue(next->fire_next(next_call()));
      deliver_all();
    }
    now_ = until;
  }

  timestamp now() const { return now_; }
  std::size_t waiting() const { return waiting_.size(); }
  entity_under_test& entity(const entity_ref& target) {
    auto& slot = entities_[target];
    if (!slot) {
      const auto* kind = kinds_.find(target.kind);
      kit_check(kind != nullptr, "a message to a kind that does not exist");
      slot = std::make_unique<entity_under_test>(*kind, target.key);
    }
    return *slot;
  }

 private:
  static constexpr int deliveries_max = 100'000;

  entity_under_test* next_due(timestamp until) {
    entity_under_test* next = nullptr;
    for (const auto& [target, one] : entities_) {
      if (one->timers().empty() || one->timers().begin()->first.due > until) continue;
      if (next == nullptr || one->timers().begin()->first < next->timers().begin()->first) next = one.get();
    }
    return next;
  }
  void queue(const outcome& out) {
    waiting_.insert(waiting_.end(), out.changes.sends.begin(), out.changes.sends.end());
  }
  call next_call() { return {now_, ++seed_}; }

  kind_registry kinds_;
  std::map<entity_ref, std::unique_ptr<entity_under_test>> entities_;
  std::deque<outbound> waiting_;
  timestamp now_ = start_of_time;
  std::uint64_t seed_ = 0;
};

}  // namespace troupe::test
