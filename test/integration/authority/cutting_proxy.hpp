#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace troupe::test {

/// A TCP relay on loopback that can swallow answers: the request arrives and is done, and nobody is told.
class cutting_proxy {
 public:
  /// Connections whose request has `forbidden` in it end unanswered and unforwarded; empty: none does.
  explicit cutting_proxy(int target_port, std::string forbidden = {});
  ~cutting_proxy();
  cutting_proxy(const cutting_proxy&) = delete;
  cutting_proxy& operator=(const cutting_proxy&) = delete;

  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// The next `count` requests with `text` in their first packet are done, and their connections end when
  /// the answer arrives.
  void cut_answers_to(const std::string& text, int count);
  std::uint64_t answers_cut() const { return cut_; }

 private:
  void accept_all();
  void relay(int client);
  bool is_to_be_cut(std::string_view request);

  int listener_ = -1;
  int port_ = 0;
  const int target_port_;
  const std::string forbidden_;
  std::mutex mutex_;
  std::string cut_text_;
  int cuts_left_ = 0;
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::uint64_t> cut_{0};
  std::vector<std::thread> relays_;  // the accepting thread's
  std::thread acceptor_;
};

}  // namespace troupe::test
