#include "http_front/net/loop.hpp"

#include <sodium.h>

#include <algorithm>
#include <boost/asio/post.hpp>

namespace troupe::http {
namespace {

constexpr std::chrono::milliseconds tick_max{250};
constexpr std::size_t spare_slots_max = 256;

/// An equal part for each loop, so that nothing is shared; one body of full size always has room.
std::size_t body_bytes_of_one_loop(const server_options& options) {
  return std::max(options.body_bytes_total_max / options.threads, 2 * options.body_bytes_max);
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof seed);
  return seed;
}

}  // namespace

loop::loop(const front& tables, std::shared_ptr<loop_counters> counts,
           std::function<void()> on_connection_end)
    : shared(tables),
      gate(tables, random_seed()),
      counters(std::move(counts)),
      on_connection_end_(std::move(on_connection_end)),
      body_bytes_max_(body_bytes_of_one_loop(tables.options)),
      timer_(io),
      port_(tables.parts.make_port([this] { wake(); })) {}

loop::~loop() {
  port_.reset();
  sessions_.clear_and_dispose([](session* s) { delete s; });
}

void loop::run() {
  tick();
  io.run();
}

void loop::wake() {
  if (woken_.exchange(true, std::memory_order_acq_rel)) return;
  boost::asio::post(io, [this] {
    // Cleared first: a reply that comes during drain() must be able to wake the loop again.
    woken_.store(false, std::memory_order_release);
    port_->drain();
  });
}

void loop::submit(command&& what, session& from) {
  loop_counters::add(counters->in_flight);
  port_->submit(std::move(what), [to = &from](reply&& reply) { to->on_reply(std::move(reply)); });
  if (flush_posted_) return;
  flush_posted_ = true;
  // Runs behind the events that are already in the queue, so one flush takes the commands of a whole round.
  boost::asio::post(io, [this] {
    flush_posted_ = false;
    port_->flush();
  });
}

bool loop::hold(std::size_t bytes) {
  if (counters->body_bytes.load(std::memory_order_relaxed) + bytes > body_bytes_max_) return false;
  loop_counters::add(counters->body_bytes, bytes);
  return true;
}

void loop::tick() {
  const auto now = std::chrono::steady_clock::now();
  port_->expire(now);
  if (now >= next_sweep_) {
    next_sweep_ = now + shared.options.sweep_every;
    for (auto at = sessions_.begin(); at != sessions_.end();)
      (at++)->sweep(now);  // a swept session may be gone
  }
  timer_.expires_after(std::min(tick_max, shared.options.sweep_every));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

void loop::add(tcp_socket&& socket) {
  auto* made = new session{*this, std::move(socket)};  // owned by the list
  sessions_.push_back(*made);
  loop_counters::add(counters->connections);
  made->start();
}

void loop::remove(session& which) {
  sessions_.erase_and_dispose(sessions_.iterator_to(which), [](session* s) { delete s; });
  loop_counters::sub(counters->connections);
  on_connection_end_();
}

void loop::drain() {
  draining_ = true;
  for (auto at = sessions_.begin(); at != sessions_.end();) (at++)->drain();
}

void loop::close_all() {
  for (auto at = sessions_.begin(); at != sessions_.end();) (at++)->close();
}

std::unique_ptr<request_slot> loop::lend() {
  if (slots_.empty()) return std::make_unique<request_slot>();
  auto slot = std::move(slots_.back());
  slots_.pop_back();
  return slot;
}

void loop::take_back(std::unique_ptr<request_slot> slot) {
  slot->parser.reset();
  slot->x.reset();
  if (slots_.size() < spare_slots_max) slots_.push_back(std::move(slot));
}

}  // namespace troupe::http
