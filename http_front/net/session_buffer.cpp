#include <algorithm>
#include <cstring>

#include "http_front/net/loop.hpp"
#include "http_front/net/session.hpp"

/// A session's read buffer: inside the session while requests are small, on the heap while one needs more.
namespace troupe::http {
namespace {

constexpr std::uint32_t body_room = 4096;  // the least that is read at once while a body comes in

}  // namespace

/// Room to read into, without losing the bytes that the current request's views point at.
bool session::make_room() {
  if (phase_ == phase::head) {
    if (end_ < capacity_) return true;
    if (start_ > 0) {
      move_input(buffer_, start_);
      return true;
    }
    return grow(loop_.shared.options.head_bytes_max + body_room);
  }
  if (parsed_ == end_) {
    parsed_ = end_ = head_end_;  // the parser has copied it
  } else if (parsed_ > head_end_) {
    std::memmove(buffer_ + head_end_, buffer_ + parsed_, end_ - parsed_);
    end_ -= parsed_ - head_end_;
    parsed_ = head_end_;
  }
  const auto wanted = head_end_ + body_room;
  if (capacity_ < wanted && !grow(loop_.shared.options.head_bytes_max + 2 * body_room))
    return end_ < capacity_;
  return end_ < capacity_;
}

/// Moves the input from `from` on to the beginning of `to`, and every view with it.
void session::move_input(char* to, std::uint32_t from) {
  const char* old = buffer_ + from;
  if (slot_ && slot_->parser) {
    slot_->parser->rebase(old, to);
    slot_->x.rebase(old, to);
  }
  std::memmove(to, old, end_ - from);
  start_ -= from;
  parsed_ -= from;
  end_ -= from;
  head_end_ -= std::min(head_end_, from);
}

bool session::grow(std::uint32_t bytes_max) {
  if (capacity_ >= bytes_max) return false;
  const auto bytes = std::min(bytes_max, std::max(capacity_ * 2, end_ + body_room));
  std::unique_ptr<char[]> larger{new char[bytes]};
  move_input(larger.get(), 0);
  heap_ = std::move(larger);
  buffer_ = heap_.get();
  capacity_ = bytes;
  return true;
}

void session::drop_buffer() {
  heap_.reset();
  buffer_ = inline_.data();
  capacity_ = inline_bytes;
}

}  // namespace troupe::http
