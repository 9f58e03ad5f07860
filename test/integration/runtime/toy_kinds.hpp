#pragma once

#include <stdexcept>

#include "runtime/entity/kind.hpp"

/// A counter that can do everything a kind can: refuse, throw, send, set and cancel timers, keep rows.
namespace troupe::counter {

struct add {
  std::int64_t amount = 0;
};
TROUPE_DESCRIBE(add, amount)
struct forward {
  std::string to;
  std::int64_t amount = 0;
  std::int64_t copies = 1;
};
TROUPE_DESCRIBE(forward, to, amount, copies)
struct add_later {
  std::int64_t amount = 0;
  std::int64_t delay_ms = 0;
};
TROUPE_DESCRIBE(add_later, amount, delay_ms)
struct cancel_last {};
BOOST_DESCRIBE_STRUCT(cancel_last, (), ())
struct throws {};
BOOST_DESCRIBE_STRUCT(throws, (), ())
struct refuse_after_edit {};
BOOST_DESCRIBE_STRUCT(refuse_after_edit, (), ())
struct double_positive {};
BOOST_DESCRIBE_STRUCT(double_positive, (), ())
struct get {};
BOOST_DESCRIBE_STRUCT(get, (), ())
struct total {
  std::int64_t value = 0;
};
TROUPE_DESCRIBE(total, value)

enum class refusal : std::uint16_t { negative = 1 };
TROUPE_DESCRIBE_ENUM(refusal, negative)

struct state {
  std::int64_t value = 0;
  timer_id last_timer;
};
TROUPE_DESCRIBE(state, value, last_timer)

class kind final : public entity<kind, state> {
 public:
  static constexpr kind_options options{
      .id = kind_id{201}, .name = "counter", .passivate_after = std::chrono::seconds{60}, .queue_max = 5000};
  using commands =
      messages<numbered<1, add>, numbered<2, forward>, numbered<3, add_later>, numbered<4, cancel_last>,
               numbered<5, throws>, numbered<6, refuse_after_edit>, numbered<8, double_positive>>;
  using queries = messages<numbered<7, get>>;
  TROUPE_NUMBERED_MESSAGES

  result<total> on(const add& c) {
    if (c.amount < 0) return reject(refusal::negative);
    edit().value += c.amount;
    return total{state().value};
  }
  result<total> on(const forward& c) {
    edit().value -= c.amount * c.copies;
    for (std::int64_t i = 0; i < c.copies; ++i) send<kind>(c.to, add{c.amount});
    return total{state().value};
  }
  result<total> on(const add_later& c) {
    edit().last_timer = after(std::chrono::milliseconds{c.delay_ms}, add{c.amount});
    return total{state().value};
  }
  result<total> on(const cancel_last&) {
    cancel(edit().last_timer);
    return total{state().value};
  }
  result<total> on(const throws&) {
    edit().value = 666;
    throw std::runtime_error{"thrown on purpose"};
  }
  result<total> on(const refuse_after_edit&) {
    edit().value = 666;
    return reject(refusal::negative);
  }
  /// Succeeds without a change when there is nothing to double.
  result<total> on(const double_positive&) {
    if (state().value > 0) edit().value *= 2;
    return total{state().value};
  }
  result<total> on(const get&) const { return total{state().value}; }
};

}  // namespace troupe::counter
