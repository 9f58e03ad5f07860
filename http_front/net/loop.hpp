#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http_front/gateway/gateway.hpp"
#include "http_front/metrics/request_metrics.hpp"
#include "http_front/net/response.hpp"
#include "http_front/net/session.hpp"
#include "runtime/base/assert.hpp"

namespace troupe::http {

/// One I/O thread: its event loop, its connections, its way into the runtime, and what the connections of one
/// thread can share because only one of them runs at a time. Everything but `wake` is called on that thread.
class loop {
 public:
  loop(const front& shared, std::shared_ptr<loop_counters> counters, std::function<void()> on_connection_end);
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  /// Runs until stop(). The calling thread becomes the loop's.
  void run();
  void stop() { io.stop(); }

  void add(tcp_socket&& socket);
  void remove(session& which);
  /// From now on each connection ends when it is idle.
  void drain();
  void close_all();
  bool is_draining() const { return draining_; }

  std::unique_ptr<request_slot> lend();
  void take_back(std::unique_ptr<request_slot> slot);
  void submit(command&& what, session& from);
  /// Counts memory of bodies that are still being received. False, and nothing counted, past the loop's part
  /// of server_options::body_bytes_total_max.
  bool hold(std::size_t bytes);
  void release(std::size_t bytes) { loop_counters::sub(counters->body_bytes, bytes); }

  boost::asio::io_context io{1};  // one thread runs it, any thread may post to it
  const front& shared;
  gateway gate;
  const std::shared_ptr<loop_counters> counters;

  /// What one session left in `out` would go to the next one's client.
  void begin_event() const { TROUPE_ASSERT(out.empty(), "a session kept an answer in the loop's buffer"); }

  // Scratch of whichever session runs: empty between two events.
  std::string out;
  response answer;
  date_cache date;

 private:
  void wake();
  void tick();

  std::function<void()> on_connection_end_;
  const std::size_t body_bytes_max_;
  boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                    boost::asio::wait_traits<std::chrono::steady_clock>,
                                    boost::asio::io_context::executor_type>
      timer_;
  std::chrono::steady_clock::time_point next_sweep_{};
  std::vector<std::unique_ptr<request_slot>> slots_;
  boost::intrusive::list<session> sessions_;
  std::atomic<bool> woken_{false};
  bool flush_posted_ = false;
  bool draining_ = false;
  std::unique_ptr<command_port> port_;  // last: it is destroyed first, while its sessions are still there
};

}  // namespace troupe::http
