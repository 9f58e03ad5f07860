#include "cli/flash_sale/sale.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace troupe::flash_sale {
namespace {

using std::chrono::milliseconds;

/// As many connections are being opened at one time. More would overflow the server's accept queue, and a SYN
/// that is dropped there is only repeated after a second.
constexpr std::size_t opening_max = 128;
constexpr milliseconds open_timeout{3'000};
constexpr std::size_t open_failures_max = 200;

constexpr std::size_t sends_between_reads = 64;

constexpr milliseconds back_off_first{20};
constexpr milliseconds back_off_longest{500};
/// A server that asks for more patience than this is asked again anyway: the sale is a matter of seconds.
constexpr std::int64_t retry_after_s_max = 5;

}  // namespace

sale::sale(const sale_plan& plan, const std::vector<client::endpoint>& servers, std::size_t slots,
           const sale_rules& rules, sale_ledger& ledger, progress& bar)
    : plan_(plan),
      rules_(rules),
      ledger_(ledger),
      bar_(bar),
      net_(servers, slots, *this),
      slots_(slots),
      jitter_(rules.seed) {}

void sale::set_alarm(std::size_t slot, clock::duration in) {
  alarms_.push({clock::now() + in, slot, slots_[slot].turn});
}

void sale::ring_due_alarms() {
  const auto now = clock::now();
  while (!alarms_.empty() && alarms_.top().due <= now) {
    const alarm a = alarms_.top();
    alarms_.pop();
    if (a.turn == slots_[a.slot].turn) ring(a.slot);
  }
}

void sale::open_some() {
  while (opening_ < opening_max && next_to_open_ < slots_.size()) {
    const std::size_t slot = next_to_open_++;
    ++opening_;
    ++slots_[slot].turn;
    net_.open(slot);
    set_alarm(slot, open_timeout);
  }
}

void sale::open_all() {
  bar_.begin("opening connections", slots_.size());
  while (viewed_ < slots_.size()) {
    open_some();
    net_.poll(milliseconds{20});
    ring_due_alarms();
    bar_.update(viewed_);
  }
  bar_.finish(viewed_);
}

void sale::on_open(std::size_t slot) {
  if (!is_running_) return net_.send(slot, plan_.view_request);
  if (slots_[slot].buyer != nobody) send_order(slot);
}

void sale::count_open_failure() {
  if (++open_failures_ <= open_failures_max) return;
  throw client::environment_error(fmt::format(
      "The server closed, refused or left unanswered {} connections while they were being opened ({} of "
      "{} were ready). Is it running, and does it allow this many connections from one address?",
      open_failures_, viewed_, slots_.size()));
}

void sale::on_response(std::size_t slot, client::response& answer) {
  auto& s = slots_[slot];
  ++s.turn;
  if (!is_running_) {
    if (s.has_viewed) return;
    s.has_viewed = true;
    --opening_;
    ++viewed_;
    return;
  }
  if (!s.is_waiting) return;
  s.is_waiting = false;
  const bool is_settled = weigh(answer) == answer_weight::settles;
  const auto retry_after_s = answer.retry_after_s;
  ledger_.answered(s.buyer, since_gun(), std::move(answer));
  if (is_settled) {
    next_buyer(slot);
  } else {
    try_again(slot, retry_after_s);
  }
}

void sale::on_broken(std::size_t slot) {
  auto& s = slots_[slot];
  if (is_running_) {
    if (s.is_waiting) return answer_missing(slot, "connection broken");
    // Idle, or a reconnect was refused: whose turn it is tries again later, within what is allowed to it.
    if (s.buyer != nobody) try_again(slot, {});
    return;
  }
  count_open_failure();
  if (s.has_viewed) {
    s.has_viewed = false;
    --viewed_;
    ++opening_;
  }
  ++s.turn;
  set_alarm(slot, back_off_first);
}

void sale::run(server_kill* kill) {
  bar_.begin("selling", ledger_.size());
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) slots_[slot].buyer = slot;
  is_running_ = true;
  started_wall_ = std::chrono::system_clock::now();
  gun_ = clock::now();
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    begin(slot);
    // A buyer sees the answer when it comes, not when the last of the others has sent.
    if (slot % sends_between_reads == sends_between_reads - 1) go_on(kill, milliseconds{0});
  }
  while (slots_done_ < slots_.size()) go_on(kill, until_next_alarm());
  bar_.finish(ledger_.settled_count());
  while (kill != nullptr && kill->at() == server_kill::phase::dying) {
    net_.poll(milliseconds{2});
    kill->step();
  }
}

void sale::begin(std::size_t slot) {
  auto& s = slots_[slot];
  // The server may have died since the gun: then the slot is waiting to connect again, or has done so and
  // sent.
  if (s.buyer != slot || s.give_up_at || ledger_.attempts(slot) > 0) return;
  if (net_.is_open(slot)) return send_order(slot);
  net_.open(slot);
  set_alarm(slot, rules_.answer_timeout);
}

void sale::go_on(server_kill* kill, milliseconds wait) {
  net_.poll(wait);
  ring_due_alarms();
  if (kill != nullptr) watch_kill(kill);
  bar_.update(ledger_.settled_count());
}

milliseconds sale::until_next_alarm() const {
  constexpr milliseconds longest{20};  // the progress bar and the killing are looked after in between
  if (alarms_.empty()) return longest;
  const auto left = std::chrono::ceil<milliseconds>(alarms_.top().due - clock::now());
  return std::clamp(left, milliseconds{0}, longest);
}

void sale::watch_kill(server_kill* kill) {
  const auto due = static_cast<std::size_t>(rules_.kill_at * static_cast<double>(ledger_.size()));
  if (kill->at() != server_kill::phase::armed) return kill->step();
  if (ledger_.settled_count() < due) return;
  kill->pull();
  killed_ = kill_moment{since_gun(), ledger_.settled_count()};
  bar_.note(fmt::format("kill -9 {} after {} answers; starting the server again", kill->victim(),
                        killed_->answers_before));
}

void sale::send_order(std::size_t slot) {
  auto& s = slots_[slot];
  ++s.turn;
  s.is_waiting = true;
  ledger_.sent(s.buyer, since_gun());
  net_.send(slot, plan_.buyers[s.buyer].request);
  set_alarm(slot, rules_.answer_timeout);
}

void sale::next_buyer(std::size_t slot) {
  auto& s = slots_[slot];
  ++s.turn;
  s.give_up_at.reset();
  s.buyer += slots_.size();
  if (s.buyer >= ledger_.size()) {
    s.buyer = nobody;
    ++slots_done_;
    return;
  }
  if (net_.is_open(slot)) {
    send_order(slot);
  } else {
    net_.open(slot);
    set_alarm(slot, rules_.answer_timeout);
  }
}

void sale::answer_missing(std::size_t slot, std::string_view why) {
  slots_[slot].is_waiting = false;
  ledger_.lost(slots_[slot].buyer, why);
  try_again(slot, {});
}

void sale::try_again(std::size_t slot, std::optional<std::int64_t> retry_after_s) {
  auto& s = slots_[slot];
  ++s.turn;
  const auto now = clock::now();
  if (!s.give_up_at) {
    // An order that never left may wait for a connection as long as one that left may wait for its answer.
    const bool was_sent = ledger_.attempts(s.buyer) > 0;
    const milliseconds patience = was_sent ? milliseconds{0} : rules_.answer_timeout;
    s.give_up_at = now + (rules_.retry_lost ? rules_.retry_for : patience);
  }
  if (now >= *s.give_up_at) return next_buyer(slot);
  clock::duration pause = back_off(slot);
  if (retry_after_s) {
    pause = std::max<clock::duration>(
        pause, std::chrono::seconds{std::clamp<std::int64_t>(*retry_after_s, 0, retry_after_s_max)});
  }
  set_alarm(slot, pause);
}

sale::clock::duration sale::back_off(std::size_t slot) {
  const std::uint32_t attempts = std::min<std::uint32_t>(ledger_.attempts(slots_[slot].buyer), 8);
  const milliseconds longest = std::min(back_off_longest, back_off_first * (1 << attempts));
  // Half fixed, half random: thousands of buyers lost their connection at the same moment.
  const auto spread =
      static_cast<std::int64_t>(jitter_.next() % static_cast<std::uint64_t>(longest.count() / 2 + 1));
  return milliseconds{longest.count() / 2 + spread};
}

void sale::ring(std::size_t slot) {
  auto& s = slots_[slot];
  if (!is_running_) {  // the stock was not answered in time, or it is time to connect again
    if (net_.is_open(slot)) count_open_failure();
    ++s.turn;
    net_.open(slot);
    set_alarm(slot, open_timeout);
    return;
  }
  if (s.is_waiting) {
    net_.close(slot);  // a late answer must not be taken for the answer to the next request
    return answer_missing(slot, "no answer in time");
  }
  if (net_.is_open(slot)) return send_order(slot);
  if (s.give_up_at && clock::now() >= *s.give_up_at) return next_buyer(slot);
  ++s.turn;
  net_.open(slot);
  set_alarm(slot, rules_.answer_timeout);
}

}  // namespace troupe::flash_sale
