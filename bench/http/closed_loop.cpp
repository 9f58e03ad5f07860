#include "bench/http/closed_loop.hpp"

#include <fmt/format.h>

#include <cstring>
#include <random>

#include "bench/http/process_cpu.hpp"

namespace troupe::bench {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t key_digits = 32;
constexpr milliseconds open_deadline{30'000};
constexpr milliseconds drain_deadline{10'000};
constexpr std::int64_t broken_max = 1'000;
constexpr std::size_t opening_max = 128;

void write_key(char* at, std::uint64_t high, std::uint64_t low) {
  constexpr char digits[] = "0123456789abcdef";
  for (std::size_t i = 0; i < 16; ++i) {
    at[i] = digits[(high >> (4 * i)) & 15];
    at[16 + i] = digits[(low >> (4 * i)) & 15];
  }
}

std::string with_user(std::string text, const std::string& user) {
  const std::string mark = "{user}";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + user.size())) {
    text.replace(at, mark.size(), user);
  }
  return text;
}

}  // namespace

closed_loop::closed_loop(const load_options& o, const client::endpoint& server,
                         const std::vector<caller>& callers)
    : options_(o),
      net_({server}, o.connections, *this),
      sent_at_(o.connections),
      is_waiting_(o.connections),
      keys_(std::random_device{}()) {
  const std::string blank_key(key_digits, '0');
  for (const auto& who : callers) {
    auto headers = headers_for(o, who);
    if (o.unique_key) headers.push_back({"Idempotency-Key", blank_key});
    prepared p;
    p.text = client::request_text(server, o.method, with_user(o.target, who.user), headers,
                                  with_user(o.body, who.user));
    if (o.unique_key) p.key_at = p.text.find(blank_key);
    requests_.push_back(std::move(p));
  }
}

void closed_loop::open_all() {
  const auto until = clock::now() + open_deadline;
  for (std::size_t begun = 0; opened_ < net_.slot_count();) {
    while (begun < net_.slot_count() && begun < opened_ + opening_max) net_.open(begun++);
    net_.poll(milliseconds{10});
    if (clock::now() > until)
      throw client::environment_error(
          fmt::format("Only {} of {} connections could be opened.", opened_, net_.slot_count()));
  }
}

void closed_loop::on_open(std::size_t slot) {
  ++opened_;
  if (is_sending_) send(slot);
}

void closed_loop::send(std::size_t slot) {
  prepared& request = requests_[next_request_];
  if (++next_request_ == requests_.size()) next_request_ = 0;
  if (request.key_at != 0) write_key(request.text.data() + request.key_at, keys_.next(), keys_.next());
  ++under_way_;
  is_waiting_[slot] = 1;
  sent_at_[slot] = clock::now();
  net_.send(slot, request.text);
}

void closed_loop::on_response(std::size_t slot, client::response& answer) {
  --under_way_;
  is_waiting_[slot] = 0;
  if (answer.status == 201) ++result_.created_in_all;
  if (is_measuring_) {
    ++result_.answers;
    if (answer.status / 100 == 2) ++result_.successes;
    if (answer.status == 409) ++result_.conflicts;
    result_.latency_us.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(clock::now() - sent_at_[slot]).count());
  }
  if (!is_sending_) return;
  if (net_.is_open(slot)) {
    send(slot);
  } else {
    net_.open(slot);
  }
}

void closed_loop::on_broken(std::size_t slot) {
  if (++result_.broken > broken_max) throw client::environment_error("The server keeps closing connections.");
  if (is_waiting_[slot] != 0) --under_way_;
  is_waiting_[slot] = 0;
  net_.open(slot);
}

void closed_loop::drain() {
  is_sending_ = false;
  const auto until = clock::now() + drain_deadline;
  while (under_way_ > 0 && clock::now() < until) net_.poll(milliseconds{10});
}

load_result closed_loop::run() {
  const auto seconds = [](double s) {
    return std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(s));
  };
  result_.latency_us.reserve(1 << 20);
  open_all();
  is_sending_ = true;
  for (std::size_t slot = 0; slot < net_.slot_count(); ++slot) {
    if (net_.is_open(slot)) send(slot);
  }
  for (const auto until = clock::now() + seconds(options_.warm_up_seconds); clock::now() < until;)
    net_.poll(milliseconds{10});

  const std::int64_t server_before = cpu_us(options_.server_pid);
  const std::int64_t client_before = own_cpu_us();
  const auto from = clock::now();
  is_measuring_ = true;
  for (const auto until = from + seconds(options_.seconds); clock::now() < until;)
    net_.poll(milliseconds{10});
  is_measuring_ = false;
  result_.seconds = std::chrono::duration<double>(clock::now() - from).count();
  result_.server_cpu_us = cpu_us(options_.server_pid) - server_before;
  result_.client_cpu_us = own_cpu_us() - client_before;
  drain();
  return std::move(result_);
}

}  // namespace troupe::bench
