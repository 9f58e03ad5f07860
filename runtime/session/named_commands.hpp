#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "runtime/host/command.hpp"

namespace troupe {

/// Who waits for a reply: an I/O loop (by its place in the shard's list of fronts) and its ticket there.
struct reply_address {
  std::uint32_t front = 0;
  std::uint64_t ticket = 0;
};

/// The named commands of one shard that the store does not know yet: at work, or logged and not applied.
/// Together with the stored replies it makes every command id run at most once. Bounded by the shard's own
/// bound on commands at work and entries not applied.
class named_commands {
 public:
  struct record {
    std::uint64_t fingerprint = 0;
    bool is_logged = false;
    std::uint64_t index = 0;             // when logged
    reply answer;                        // when logged
    std::vector<reply_address> waiting;  // repetitions that came while the command was at work
  };
  static constexpr std::size_t waiting_max = 16;

  record* find(const command_id& id) {
    const auto it = records_.find(id);
    return it == records_.end() ? nullptr : &it->second;
  }
  void begin(const command_id& id, std::uint64_t fingerprint) { records_[id].fingerprint = fingerprint; }

  /// The command became entry `index`; from now on repetitions get `answer`. Gives those that waited.
  std::vector<reply_address> logged(const command_id& id, std::uint64_t index, const reply& answer) {
    auto& found = records_[id];
    found.is_logged = true;
    found.index = index;
    found.answer = answer;
    logged_.emplace_back(index, id);
    return std::exchange(found.waiting, {});
  }
  /// The command changed nothing, so its id stays free. Gives those that waited.
  std::vector<reply_address> ended(const command_id& id) {
    const auto it = records_.find(id);
    if (it == records_.end()) return {};
    auto waiting = std::move(it->second.waiting);
    records_.erase(it);
    return waiting;
  }
  /// The store knows all commands up to this index.
  void forget_applied(std::uint64_t index) {
    while (!logged_.empty() && logged_.front().first <= index) {
      records_.erase(logged_.front().second);
      logged_.pop_front();
    }
  }
  /// All that wait for commands at work.
  std::vector<reply_address> take_waiting() {
    std::vector<reply_address> out;
    for (auto& [id, one] : records_) {
      out.insert(out.end(), one.waiting.begin(), one.waiting.end());
      one.waiting.clear();
    }
    return out;
  }
  std::size_t size() const { return records_.size(); }

 private:
  std::unordered_map<command_id, record> records_;
  std::deque<std::pair<std::uint64_t, command_id>> logged_;
};

}  // namespace troupe
