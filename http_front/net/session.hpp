#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "http_front/gateway/exchange.hpp"
#include "http_front/net/request_parser.hpp"

namespace troupe::http {

class loop;

/// The executor is named, not type-erased: that is a tenth of the cost of a small request.
using tcp_socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// What a connection needs only while it has a request; the loop lends it.
struct request_slot {
  std::optional<request_parser> parser;
  exchange x;
};

/// One connection, on its loop's thread for life. Requests are answered one after the other in the order in
/// which they came; answers to pipelined requests leave in one write. While a request is at work or an answer
/// does not leave, nothing is read: the client's own window is the bound.
///
/// The loop owns it. It is destroyed when it is closed and neither Asio nor the command port will call it
/// again, so their handlers hold a plain pointer.
class session : public boost::intrusive::list_base_hook<> {
 public:
  session(loop& owner, tcp_socket&& socket);
  ~session();

  void start();
  /// The reply of the one command that it has submitted.
  void on_reply(reply&& reply);
  /// Ends what has waited too long.
  void sweep(std::chrono::steady_clock::time_point now);
  /// Ends at once when idle, otherwise after its answer.
  void drain();
  void close();
  bool is_dead() const { return phase_ == phase::closed && !reading_ && !writing_ && !waiting_; }

 private:
  enum class phase : std::uint8_t {
    idle,       // between requests
    head,       // has a part of a request's head
    body,       // has the head, lacks a part of the body
    waiting,    // its command is at work
    ending,     // the last answer is being written
    lingering,  // the last answer is written; reads on, so that the client gets it before a reset
    closed,
  };
  using clock = std::chrono::steady_clock;
  static constexpr std::uint32_t inline_bytes = 2048;

  void read();
  void on_read(const boost::system::error_code& error, std::size_t size);
  void process();
  void begin_request();
  bool parse();
  bool enter_body();
  bool admit();
  bool hold_body();
  void release_body();
  void drop_buffer();
  bool make_room();
  bool grow(std::uint32_t bytes_max);
  void move_input(char* to, std::uint32_t from);
  bool handle();
  bool refuse(front_problem why, std::string_view detail = {});
  bool refuse_fault(const boost::system::error_code& error);
  bool finish();
  void become_idle();
  bool flush();
  void wait_writable();
  void on_writable(const boost::system::error_code& error);
  void linger();
  void forget_if_dead();

  loop& loop_;
  tcp_socket socket_;
  clock::time_point deadline_;
  clock::time_point write_deadline_;
  phase phase_ = phase::idle;
  bool reading_ = false;
  bool writing_ = false;
  bool waiting_ = false;

  // The read buffer: [start_, end_) are bytes of the current request and what follows it.
  std::uint32_t start_ = 0;
  std::uint32_t parsed_ = 0;
  std::uint32_t end_ = 0;
  std::uint32_t head_end_ = 0;
  std::uint32_t capacity_ = inline_bytes;
  char* buffer_ = inline_.data();
  std::unique_ptr<char[]> heap_;
  std::size_t body_bytes_held_ = 0;  // of those that the loop counts

  std::unique_ptr<request_slot> slot_;
  std::unique_ptr<verified_token> token_;
  std::string unsent_;
  std::size_t unsent_from_ = 0;
  std::array<char, inline_bytes> inline_;
};

}  // namespace troupe::http
