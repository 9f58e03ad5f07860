#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "runtime/entity/activation.hpp"
#include "runtime/host/command.hpp"
#include "runtime/journal/entry.hpp"
#include "runtime/session/named_commands.hpp"

namespace troupe {

/// A command on its way from a front to a shard.
struct ticketed_command {
  std::uint64_t ticket = 0;
  command what;
};

struct ticketed_reply {
  std::uint64_t ticket = 0;
  reply what;
};

/// One message for one entity, and what came of it. A shard fills the first half, the entity's actor the
/// second.
struct work {
  entry_cause cause = entry_cause::command;
  reply_address from;   // command
  shard_id source = 0;  // delivery
  send_id sent;         // delivery
  timer_id fired;       // timer
  message_no message{};
  bool is_query = false;
  std::string body;
  command_id name;
  std::uint64_t fingerprint = 0;
  version_condition expect_version;
  std::chrono::steady_clock::time_point deadline{};

  reply answer;
  std::string entry;  // encoded log entry; empty when nothing changed
  std::vector<outbound> sends;
  std::vector<timer_set> timers_set;
  std::vector<timer_id> timers_cancelled;
  bool was_stopped = false;  // a timer that an earlier command of the batch cancelled: nothing ran
};

struct resident;

/// Messages that an entity's actor runs in one go. It belongs to one side at a time: the shard makes it, the
/// entity's actor fills it in and gives it back.
struct run_batch {
  resident* owner = nullptr;  // the shard's, opaque to the entity
  // Set in the first batch of an activation: what the actor is from now on. Valid while the actor has the
  // batch.
  const kind_descriptor* kind = nullptr;
  const entity_ref* ref = nullptr;
  std::uint64_t number = 0;
  std::uint64_t applied_number = 0;  // batches up to this one are in the store
  call in;
  std::vector<work> items;
};

/// First in, first out, without a price while empty: thousands of idle entities have one each.
class work_queue {
 public:
  bool empty() const { return head_ == items_.size(); }
  std::size_t size() const { return items_.size() - head_; }
  void push(work&& item) { items_.push_back(std::move(item)); }
  /// Takes up to `count` from the front.
  std::vector<work> take(std::size_t count) {
    if (head_ == 0 && count >= items_.size()) return std::exchange(items_, {});
    const auto from = items_.begin() + static_cast<std::ptrdiff_t>(head_);
    const auto size = std::min(count, this->size());
    std::vector<work> out{std::make_move_iterator(from),
                          std::make_move_iterator(from + static_cast<std::ptrdiff_t>(size))};
    head_ += size;
    if (empty()) {
      items_ = {};
      head_ = 0;
    } else if (head_ > items_.size() / 2) {
      // A queue under overload never gets empty, so what was taken must not stay in front of the rest.
      items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    return out;
  }
  /// How many items there is memory for.
  std::size_t capacity() const { return items_.capacity(); }
  /// Removes the first item that matches; false when none does.
  template <class Predicate>
  bool remove(Predicate matches) {
    for (auto i = head_; i < items_.size(); ++i) {
      if (!matches(items_[i])) continue;
      items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(i));
      return true;
    }
    return false;
  }

 private:
  std::vector<work> items_;
  std::size_t head_ = 0;
};

}  // namespace troupe
