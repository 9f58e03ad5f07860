#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "cluster/transport/parts.hpp"
#include "cluster/transport/wire.hpp"

namespace troupe {

/// What waits to be sent on one connection: words, put together into messages or, when they are longer than
/// one, in parts. Bounded by what waits and by what is under way. Any thread puts; one takes.
class outgoing {
 public:
  outgoing(std::size_t message_bytes_max, std::size_t waiting_bytes_max, std::size_t in_flight_bytes_max)
      : message_bytes_max_(message_bytes_max),
        waiting_bytes_max_(waiting_bytes_max),
        in_flight_bytes_max_(in_flight_bytes_max) {}

  enum class put_result : std::uint8_t {
    dropped,  // closed, or too much waits
    waits,
    wake,  // and the one who takes must be told
  };
  put_result put(wire::word what, std::string_view bytes) {
    const std::lock_guard lock{mutex_};
    if (!is_open_ || waiting_bytes_ + bytes.size() > waiting_bytes_max_) return put_result::dropped;
    if (bytes.size() + wire::word_overhead_max <= message_bytes_max_) {
      auto& message = with_room_for(bytes.size() + wire::word_overhead_max);
      const auto before = message.size();
      wire::append_word(message, what, bytes);
      waiting_bytes_ += message.size() - before;
    } else {
      put_in_parts(what, bytes);
    }
    return std::exchange(is_awake_, true) ? put_result::waits : put_result::wake;
  }

  /// The next message, when there is one and the other side has room; otherwise the taker is told again.
  bool take(std::string& message) {
    const std::lock_guard lock{mutex_};
    if (messages_.empty() || in_flight_bytes_ >= in_flight_bytes_max_) {
      is_awake_ = !messages_.empty();  // taken_in() makes it go on
      return false;
    }
    message = std::move(messages_.front());
    messages_.pop_front();
    waiting_bytes_ -= message.size();
    in_flight_bytes_ += message.size();
    return true;
  }
  /// The other side has taken in that much.
  void taken_in(std::uint64_t bytes) {
    const std::lock_guard lock{mutex_};
    in_flight_bytes_ -= static_cast<std::size_t>(std::min<std::uint64_t>(bytes, in_flight_bytes_));
  }
  bool is_open() {
    const std::lock_guard lock{mutex_};
    return is_open_;
  }
  void open() { reset(true); }
  /// What waits is gone.
  void close() { reset(false); }

 private:
  std::string& with_room_for(std::size_t most) {
    if (messages_.empty() || messages_.back().size() + most > message_bytes_max_) messages_.emplace_back();
    return messages_.back();
  }
  void put_in_parts(wire::word what, std::string_view bytes) {
    const auto piece_bytes = message_bytes_max_ - wire::word_overhead_max - wire::part_overhead;
    while (!bytes.empty()) {
      const auto piece = bytes.substr(0, piece_bytes);
      bytes.remove_prefix(piece.size());
      auto& message = with_room_for(piece.size() + wire::part_overhead + wire::word_overhead_max);
      const auto before = message.size();
      wire::append_part(message, what, bytes.empty(), piece);
      waiting_bytes_ += message.size() - before;
    }
  }
  void reset(bool is_open) {
    const std::lock_guard lock{mutex_};
    messages_.clear();
    waiting_bytes_ = in_flight_bytes_ = 0;
    is_awake_ = false;
    is_open_ = is_open;
  }

  const std::size_t message_bytes_max_;
  const std::size_t waiting_bytes_max_;
  const std::size_t in_flight_bytes_max_;
  std::mutex mutex_;
  std::deque<std::string> messages_;
  std::size_t waiting_bytes_ = 0;
  std::size_t in_flight_bytes_ = 0;
  bool is_awake_ = false;
  bool is_open_ = false;
};

}  // namespace troupe
