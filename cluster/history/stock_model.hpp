#pragma once

#include <cstdint>
#include <unordered_map>

#include "cluster/history/operation.hpp"

namespace troupe::history {

/// One SKU as it should behave, one command at a time: what actors/sku does, without time. The checker's only
/// idea of right and wrong.
class stock_model {
 public:
  struct order_state {
    std::int64_t quantity = 0;
    order_status status = order_status::reserved;
  };
  struct answer {
    outcome what = outcome::ok;
    reason why = reason::none;
    bool changes = false;  // it makes a log entry
    friend bool operator==(const answer&, const answer&) = default;
  };

  explicit stock_model(const sku_setup& setup);

  /// What the command would be answered now. A reserve without an order's name gets one that is free.
  answer ask(op_kind kind, std::uint64_t order, std::int64_t quantity) const;
  /// Does what ask() says: nothing unless it changes something.
  answer apply(op_kind kind, std::uint64_t order, std::int64_t quantity);
  /// Whether the reply is one that may be given in this state, the counts being those after the command.
  bool allows(const operation& reply, const answer& expected) const;

  const stock_counts& counts() const { return counts_; }
  std::int64_t initial() const { return setup_.initial; }
  std::int64_t restocked() const { return restocked_; }
  const std::unordered_map<std::uint64_t, order_state>& orders() const { return orders_; }
  /// initial + restocked = available + reserved + sold, and nothing below zero.
  bool is_balanced(const stock_counts& counts) const;

 private:
  answer ask_about(op_kind kind, const order_state& about) const;
  /// Where the units of an order with that status are counted.
  std::int64_t& units_of(order_status status);
  void move(order_state& which, order_status next);

  sku_setup setup_;
  stock_counts counts_;
  std::int64_t restocked_ = 0;
  std::unordered_map<std::uint64_t, order_state> orders_;
};

}  // namespace troupe::history
