#pragma once

#include "runtime/entity/kind.hpp"

/// The smallest kind that does something: a counter. What a command costs here is the runtime's own cost.
namespace troupe::toy {

struct add {
  std::int64_t amount = 0;
  friend bool operator==(const add&, const add&) = default;
};
TROUPE_DESCRIBE(add, amount)

struct get {};
BOOST_DESCRIBE_STRUCT(get, (), ())

struct total {
  std::int64_t value = 0;
};
TROUPE_DESCRIBE(total, value)

struct state {
  std::int64_t value = 0;
};
TROUPE_DESCRIBE(state, value)

class kind final : public entity<kind, state> {
 public:
  static constexpr kind_options options{.id = kind_id{200}, .name = "toy"};
  using commands = messages<numbered<1, add>>;
  using queries = messages<numbered<2, get>>;
  TROUPE_NUMBERED_MESSAGES

  result<total> on(const add& c) {
    edit().value += c.amount;
    return total{state().value};
  }
  result<total> on(const get&) const { return total{state().value}; }
};

}  // namespace troupe::toy
