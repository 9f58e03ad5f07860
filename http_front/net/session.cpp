#include "http_front/net/session.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <utility>

#include "http_front/net/edge_log.hpp"
#include "http_front/net/loop.hpp"

namespace troupe::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t batch_bytes_max =
    64 * 1024;                                // of answers to pipelined requests, before they are written
constexpr std::size_t final_chunk_bytes = 5;  // "0\r\n\r\n": Beast asserts that it has them

/// 501 and 505 are 5xx, but what is wrong is the request.
bool is_our_fault(int status) { return status >= 500 && status != 501 && status != 505; }

}  // namespace

session::session(loop& owner, tcp_socket&& socket) : loop_(owner), socket_(std::move(socket)) {}

session::~session() = default;

void session::start() {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  socket_.non_blocking(true, ignored);
  deadline_ = clock::now() +
              loop_.shared.options.head_timeout;  // the first request has to come sooner than later ones
  read();
}

void session::read() {
  reading_ = true;
  socket_.async_read_some(asio::buffer(buffer_ + end_, capacity_ - end_),
                          [this](const error_code& error, std::size_t size) { on_read(error, size); });
}

void session::on_read(const error_code& error, std::size_t size) {
  loop_.begin_event();
  reading_ = false;
  if (phase_ == phase::closed) return forget_if_dead();
  if (error) return close();  // a request that is cut off has no one to answer to
  loop_counters::add(loop_.counters->bytes_in, size);
  if (phase_ == phase::lingering) return read();
  if (phase_ == phase::ending) return;  // timed out meanwhile
  end_ += static_cast<std::uint32_t>(size);
  process();
}

void session::process() {
  while (phase_ == phase::idle || phase_ == phase::head || phase_ == phase::body) {
    if (writing_) {  // on_writable() comes back here
      flush();
      return;
    }
    if (phase_ == phase::idle) {
      // Clients may send an empty line after a body (RFC 9112, 2.2).
      while (end_ - start_ >= 2 && buffer_[start_] == '\r' && buffer_[start_ + 1] == '\n') start_ += 2;
      if (start_ == end_) return become_idle();
      begin_request();
    }
    if (!parse() || !handle()) return;
  }
}

void session::begin_request() {
  const auto& options = loop_.shared.options;
  if (!slot_) slot_ = loop_.lend();
  slot_->parser.emplace(options.head_bytes_max, options.body_bytes_max);
  slot_->x.began = clock::now();
  parsed_ = start_;
  phase_ = phase::head;
  deadline_ = slot_->x.began + options.head_timeout;
}

/// True when the request is complete. Otherwise it waits for more, or has ended.
bool session::parse() {
  auto& parser = *slot_->parser;
  error_code error;
  if (phase_ == phase::head) {
    parser.reading_from(buffer_ + start_, buffer_ + end_);
    parsed_ += static_cast<std::uint32_t>(parser.put(asio::buffer(buffer_ + parsed_, end_ - parsed_), error));
    const auto head_bytes = (parser.is_header_done() ? parsed_ : end_) - start_;
    if (head_bytes > loop_.shared.options.head_bytes_max) return refuse(front_problem::headers_too_large);
    if (error && error != boost::beast::http::error::need_more) return refuse_fault(error);
    if (parser.is_header_done() && !parser.is_done() && !enter_body()) return false;
  }
  if (phase_ == phase::body && parsed_ < end_) {
    if (!parser.chunked() || end_ - parsed_ >= final_chunk_bytes) {
      parsed_ +=
          static_cast<std::uint32_t>(parser.put(asio::buffer(buffer_ + parsed_, end_ - parsed_), error));
      if (error && error != boost::beast::http::error::need_more) return refuse_fault(error);
    }
  }
  if (parser.is_done()) return true;
  if (phase_ == phase::body && !slot_->x.is_admitted && !admit()) return false;
  if (phase_ == phase::body && !hold_body()) return refuse(front_problem::overloaded);
  if (!make_room()) {
    return refuse(phase_ == phase::head ? front_problem::headers_too_large
                                        : front_problem::malformed_request);
  }
  if (flush()) read();
  return false;
}

bool session::enter_body() {
  auto& parser = *slot_->parser;
  head_end_ = parsed_;
  parser.eager(true);
  phase_ = phase::body;
  deadline_ = clock::now() + loop_.shared.options.body_timeout;
  return true;
}

/// Lets a request in by its head, before more of its body is read. False: it was answered, and because its
/// body is not wanted the connection ends.
bool session::admit() {
  auto& x = slot_->x;
  auto& parser = *slot_->parser;
  x.head = parser.head;
  loop_.gate.begin(x);
  loop_.answer.reset();
  if (loop_.gate.admit(x, token_, loop_.answer) == gateway::step::answered) {
    loop_.answer.close = true;
    parsed_ = end_;
    finish();
    return false;
  }
  if (!x.entry->what->has_body) parser.lower_body_limit(pointless_body_bytes_max);
  if (parser.head.has(header::expect) && !parser.head.http_1_0 && parsed_ == end_) {
    loop_.out.append("HTTP/1.1 100 Continue\r\n\r\n");
  }
  return true;
}

/// Counts what the body has grown by. False when the bodies of all connections together would take too much.
bool session::hold_body() {
  const auto bytes = slot_->parser->body_bytes_held();
  const auto more = bytes - std::min(bytes, body_bytes_held_);
  if (more == 0) return true;
  if (!loop_.hold(more)) return false;
  body_bytes_held_ += more;
  return true;
}

void session::release_body() {
  if (body_bytes_held_ > 0) loop_.release(std::exchange(body_bytes_held_, 0));
}

/// True when the next request can be looked at.
bool session::handle() {
  auto& x = slot_->x;
  loop_.answer.reset();
  if (!x.is_admitted) {
    x.head = slot_->parser->head;
    loop_.gate.begin(x);
    if (loop_.gate.admit(x, token_, loop_.answer) == gateway::step::answered) return finish();
  } else {
    x.request.now = loop_.shared.parts.clock->wall();  // its body took a while
  }
  x.body = slot_->parser->body();
  if (loop_.gate.take(x, loop_.answer) == gateway::step::answered) return finish();
  // The command has all of it.
  x.body = {};
  slot_->parser->drop_body();
  release_body();
  phase_ = phase::waiting;
  waiting_ = true;
  loop_.submit(std::move(x.outgoing), *this);
  flush();
  return false;
}

void session::on_reply(reply&& reply) {
  loop_.begin_event();
  waiting_ = false;
  loop_counters::sub(loop_.counters->in_flight);
  if (phase_ == phase::closed) return forget_if_dead();
  loop_.answer.reset();
  loop_.gate.finish(slot_->x, reply, loop_.answer);
  if (finish()) process();
}

/// Answers a request that is not readable; the connection ends, because where the next one begins is not
/// known.
bool session::refuse_fault(const error_code& error) {
  const auto fault = slot_->parser->fault(error);
  return refuse(fault.why, fault.detail);
}

bool session::refuse(front_problem why, std::string_view detail) {
  auto& x = slot_->x;
  if (!x.is_admitted) {
    x.head = slot_->parser->head;
    loop_.gate.begin(x);
  }
  loop_.answer.reset();
  loop_.answer.close = true;
  loop_.gate.refuse(x, why, detail, loop_.answer);
  if (why == front_problem::overloaded) loop_.answer.add("Retry-After", "1");
  parsed_ = end_;
  return finish();
}

/// Puts loop.answer on the wire.
bool session::finish() {
  auto& x = slot_->x;
  const auto& answer = loop_.answer;
  const bool keep = x.head.keep_alive && !answer.close && !loop_.is_draining();
  append_response(loop_.out, answer, {keep, x.head.http_1_0, x.head.method == verb::head},
                  loop_.date.at(x.request.now));
  const auto took = clock::now() - x.began;
  loop_.counters->request_done(x.entry != nullptr ? x.entry->number : 0, answer.status, took);
  if (is_our_fault(answer.status) || loop_.shared.options.access_log) {
    log_request(x, answer.status, took, loop_.shared.options.access_log);
  }
  start_ = parsed_;
  x.reset();
  slot_->parser.reset();
  release_body();
  if (!keep) {
    phase_ = phase::ending;
    loop_.take_back(std::move(slot_));
    if (flush()) linger();
    return false;
  }
  phase_ = phase::idle;
  // Not flushed yet: the answers to pipelined requests leave together.
  return loop_.out.size() < batch_bytes_max || flush();
}

void session::become_idle() {
  start_ = parsed_ = end_ = 0;
  if (slot_) loop_.take_back(std::move(slot_));
  drop_buffer();
  deadline_ = clock::now() + loop_.shared.options.idle_timeout;
  if (!flush()) return;
  if (loop_.is_draining()) return linger();
  read();
}

/// Sends loop.out. False when it could not be sent at once: then on_writable() goes on, or the session is
/// closed.
bool session::flush() {
  auto& out = loop_.out;
  std::size_t sent = 0;
  if (writing_) {
    unsent_.append(out);
    out.clear();
    return false;
  }
  while (sent < out.size()) {
    error_code error;
    const auto size = socket_.write_some(asio::buffer(out.data() + sent, out.size() - sent), error);
    if (error == asio::error::would_block) break;
    if (error) {
      out.clear();
      close();
      return false;
    }
    sent += size;
  }
  loop_counters::add(loop_.counters->bytes_out, sent);
  if (sent < out.size()) {
    unsent_.assign(out, sent);
    unsent_from_ = 0;
    write_deadline_ = clock::now() + loop_.shared.options.write_timeout;
    wait_writable();
  }
  const bool done = sent == out.size();
  out.clear();
  if (out.capacity() > 4 * batch_bytes_max) out.shrink_to_fit();
  return done;
}

void session::wait_writable() {
  writing_ = true;
  // Only a wait: more may be appended to what is unsent meanwhile.
  socket_.async_wait(tcp_socket::wait_write, [this](const error_code& error) { on_writable(error); });
}

void session::on_writable(const error_code& failed) {
  loop_.begin_event();
  writing_ = false;
  if (phase_ == phase::closed) return forget_if_dead();
  if (failed) return close();
  while (unsent_from_ < unsent_.size()) {
    error_code error;
    const auto rest = asio::buffer(unsent_.data() + unsent_from_, unsent_.size() - unsent_from_);
    const auto size = socket_.write_some(rest, error);
    if (error == asio::error::would_block) return wait_writable();
    if (error) return close();
    loop_counters::add(loop_.counters->bytes_out, size);
    unsent_from_ += size;
  }
  unsent_ = {};
  if (phase_ == phase::ending) return linger();
  if (phase_ == phase::waiting || reading_) return;
  if (phase_ == phase::idle) return process();
  read();  // a 100-continue was slow to leave
}

/// A close with unread bytes resets the connection, and the client loses the answer that tells it why.
void session::linger() {
  error_code ignored;
  socket_.shutdown(tcp_socket::shutdown_send, ignored);
  phase_ = phase::lingering;
  deadline_ = clock::now() + loop_.shared.options.linger_timeout;
  start_ = parsed_ = end_ = 0;
  if (reading_) return;
  drop_buffer();
  read();
}

void session::sweep(clock::time_point now) {
  loop_.begin_event();
  const auto timed_out = [&] { loop_counters::add(loop_.counters->timed_out); };
  if (writing_ && now >= write_deadline_) {
    timed_out();
    return close();
  }
  if (now < deadline_ || writing_) return;
  switch (phase_) {
    case phase::waiting:  // the port answers each command, late if need be
    case phase::ending:
    case phase::closed:
      return;
    case phase::idle:
    case phase::lingering:
      timed_out();
      return close();
    case phase::head:
    case phase::body:
      timed_out();
      refuse(front_problem::request_timeout);
      return;
  }
}

void session::drain() {
  if (phase_ == phase::idle && !writing_) close();
}

void session::close() {
  if (phase_ != phase::closed) {
    phase_ = phase::closed;
    error_code ignored;
    socket_.close(ignored);
    if (slot_ && !waiting_) loop_.take_back(std::move(slot_));
    release_body();
  }
  forget_if_dead();
}

void session::forget_if_dead() {
  if (is_dead()) loop_.remove(*this);
}

}  // namespace troupe::http
