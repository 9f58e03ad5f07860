#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {

/// How a starting process waits for etcd and what is to be in it: how long, what is said meanwhile, and that
/// it ends when the process is asked to end. Lives as long as one wait, on the starting thread.
class start_patience {
 public:
  using clock = std::chrono::steady_clock;

  /// Waits for `what` in etcd, empty: for etcd itself; `at_most` so long in all. `is_asked_to_end` may be
  /// empty.
  start_patience(const std::string& what, const std::vector<std::string>& etcd_urls,
                 std::chrono::milliseconds at_most, std::function<bool()> is_asked_to_end,
                 clock::time_point now = clock::now())
      : at_most_(at_most), gives_up_at_(now + at_most), is_asked_to_end_(std::move(is_asked_to_end)) {
    what_ = (what.empty() ? "etcd at " : what + " in etcd at ");
    for (const auto& url : etcd_urls) what_ += (&url == etcd_urls.data() ? "" : ",") + url;
  }

  /// The answer; nothing when the time is over or the process is asked to end before it comes.
  template <class Answer>
  std::optional<Answer> await(std::future<Answer> coming) const {
    while (coming.wait_for(look_interval) != std::future_status::ready)
      if (is_over()) return std::nullopt;
    return coming.get();
  }

  /// What is to be logged of an attempt that failed, and why; empty: it has just been said.
  std::string notice(const std::string& why, clock::time_point now) {
    const auto reason = in_plain_words(why);
    // Some reasons have a number in them that is another one each time.
    const auto pause = reason == last_reason_ ? repeat_after : other_reason_after;
    if (said_at_ && now - *said_at_ < pause) return {};
    said_at_ = now;
    last_reason_ = reason;
    const auto left =
        std::chrono::ceil<std::chrono::seconds>(std::max(gives_up_at_ - now, clock::duration{}));
    return "waiting for " + what_ + ", for another " + std::to_string(left.count()) + " s: " + reason;
  }

  /// Until the next attempt is due. False: there is to be none.
  bool pause() const {
    const auto due = clock::now() + attempt_interval;
    while (!is_asked_to_end() && clock::now() < due) std::this_thread::sleep_for(look_interval);
    return !is_over();
  }

  /// Why the start has failed, once there is no other attempt. `why` empty: the last one had no answer; what
  /// was said of those before it says more.
  std::string fault(const std::string& why) const {
    if (is_asked_to_end()) return "asked to end before it had started, while it waited for " + what_;
    const auto waited = std::chrono::duration_cast<std::chrono::seconds>(at_most_).count();
    return "waited " + std::to_string(waited) + " s in vain for " + what_ + ": " +
           (why.empty() && !last_reason_.empty() ? last_reason_ : in_plain_words(why));
  }

  /// The authority names failures of a connection as its HTTP library does: "http://…: Connection". Which of
  /// several URLs it was changes with every attempt, and is left out.
  static std::string in_plain_words(const std::string& why) {
    if (why.empty()) return "no answer in time";
    const auto colon = why.starts_with("http") ? why.rfind(": ") : std::string::npos;
    if (colon == std::string::npos) return why;
    const auto name = std::string_view{why}.substr(colon + 2);
    if (name == "Connection") return "no connection can be made; is it running?";
    if (name == "ConnectionTimeout") return "no connection is made in time";
    if (name == "Read") return "it accepts a connection and does not answer";
    if (name == "Write") return "the connection was lost while it was asked";
    return why;
  }

 private:
  static constexpr std::chrono::milliseconds look_interval{20};
  static constexpr std::chrono::milliseconds attempt_interval{200};
  static constexpr std::chrono::seconds repeat_after{10};
  static constexpr std::chrono::seconds other_reason_after{1};

  bool is_asked_to_end() const { return is_asked_to_end_ && is_asked_to_end_(); }
  bool is_over() const { return is_asked_to_end() || clock::now() >= gives_up_at_; }

  std::string what_;
  std::chrono::milliseconds at_most_;
  clock::time_point gives_up_at_;
  std::function<bool()> is_asked_to_end_;
  std::string last_reason_;
  std::optional<clock::time_point> said_at_;
};

}  // namespace troupe
