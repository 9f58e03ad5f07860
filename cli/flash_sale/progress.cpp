#include "cli/flash_sale/progress.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::flash_sale {
namespace {

std::string bar(std::size_t done, std::size_t total, bool utf8) {
  constexpr std::size_t cells = 30;
  const std::size_t full = total == 0 ? cells : std::min(cells, done * cells / total);
  std::string out;
  for (std::size_t i = 0; i < cells; ++i) {
    if (utf8) {
      out += i < full ? "█" : "░";
    } else {
      out += i < full ? '#' : '.';
    }
  }
  return out;
}

}  // namespace

void progress::begin(std::string_view phase, std::size_t total) {
  phase_ = phase;
  total_ = total;
  begun_ = drawn_ = clock::now();
  if (terminal_.is_terminal) draw(0);
}

void progress::update(std::size_t done) {
  const auto now = clock::now();
  const auto pause = terminal_.is_terminal ? std::chrono::milliseconds{50} : std::chrono::milliseconds{1000};
  if (now - drawn_ < pause) return;
  drawn_ = now;
  draw(done);
}

void progress::draw(std::size_t done) {
  if (!terminal_.is_terminal) {
    fmt::print(out_, "{} {} of {}\n", phase_, done, total_);
    return;
  }
  fmt::print(out_, "\r\x1b[K{:<22} {} {:>6} / {}", phase_, bar(done, total_, terminal_.utf8), done, total_);
  std::fflush(out_);
}

void progress::clear_line() {
  if (terminal_.is_terminal) fmt::print(out_, "\r\x1b[K");
}

void progress::finish(std::size_t done) {
  clear_line();
  const std::chrono::duration<double> took = clock::now() - begun_;
  fmt::print(out_, "{:<22} {} of {} in {:.2f} s\n", phase_, done, total_, took.count());
  std::fflush(out_);
}

void progress::note(std::string_view text) {
  clear_line();
  fmt::print(out_, "{}\n", text);
  std::fflush(out_);
}

}  // namespace troupe::flash_sale
