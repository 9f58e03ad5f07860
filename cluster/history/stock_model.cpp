#include "cluster/history/stock_model.hpp"

namespace troupe::history {
namespace {

using answer = stock_model::answer;

constexpr answer changed{outcome::ok, reason::none, true};
constexpr answer same_again{outcome::ok, reason::none, false};

answer refused(reason why) { return {outcome::rejected, why, false}; }

bool matches(std::int64_t said, std::int64_t is) { return said == not_said || said == is; }

}  // namespace

stock_model::stock_model(const sku_setup& setup) : setup_(setup), counts_{setup.initial, 0, 0} {}

stock_model::answer stock_model::ask(op_kind kind, std::uint64_t order, std::int64_t quantity) const {
  switch (kind) {
    case op_kind::reserve:
      if (quantity < 1) return refused(reason::bad_quantity);
      if (quantity > counts_.available) return refused(reason::sold_out);
      return order != 0 && orders_.contains(order) ? refused(reason::order_exists) : changed;
    case op_kind::restock:
      return quantity < 1 ? refused(reason::bad_quantity) : changed;
    case op_kind::confirm:
    case op_kind::cancel:
    case op_kind::expire: {
      const auto found = orders_.find(order);
      return found == orders_.end() ? refused(reason::no_such_order) : ask_about(kind, found->second);
    }
    case op_kind::read:
    case op_kind::other:
      return same_again;
  }
  return refused(reason::none);
}

stock_model::answer stock_model::ask_about(op_kind kind, const order_state& about) const {
  using enum order_status;
  switch (about.status) {
    case reserved:
      return changed;
    case confirmed:
      if (kind == op_kind::confirm) return same_again;
      return kind == op_kind::cancel ? changed : refused(reason::order_closed);
    case cancelled:
      return kind == op_kind::cancel ? same_again : refused(reason::order_closed);
    case expired:
      return refused(reason::order_closed);
  }
  return refused(reason::none);
}

stock_model::answer stock_model::apply(op_kind kind, std::uint64_t order, std::int64_t quantity) {
  const auto expected = ask(kind, order, quantity);
  if (!expected.changes) return expected;
  switch (kind) {
    case op_kind::reserve: {
      // The name of an order that nobody was told is above all that clients and servers give.
      const auto name = order != 0 ? order : ~std::uint64_t{orders_.size()};
      const auto status = setup_.holds ? order_status::reserved : order_status::confirmed;
      orders_.emplace(name, order_state{quantity, status});
      counts_.available -= quantity;
      units_of(status) += quantity;
      break;
    }
    case op_kind::restock:
      restocked_ += quantity;
      counts_.available += quantity;
      break;
    case op_kind::confirm:
      move(orders_.at(order), order_status::confirmed);
      break;
    case op_kind::cancel:
      move(orders_.at(order), order_status::cancelled);
      break;
    case op_kind::expire:
      move(orders_.at(order), order_status::expired);
      break;
    case op_kind::read:
    case op_kind::other:
      break;
  }
  return expected;
}

std::int64_t& stock_model::units_of(order_status status) {
  if (status == order_status::reserved) return counts_.reserved;
  return status == order_status::confirmed ? counts_.sold : counts_.available;
}

void stock_model::move(order_state& which, order_status next) {
  units_of(which.status) -= which.quantity;
  units_of(next) += which.quantity;
  which.status = next;
}

bool stock_model::allows(const operation& reply, const answer& expected) const {
  if (!matches(reply.said.available, counts_.available) || !matches(reply.said.reserved, counts_.reserved) ||
      !matches(reply.said.sold, counts_.sold))
    return false;
  // Time decides this one: a hold may have run out before its timer has come.
  if (reply.outcome == outcome::rejected && reply.why == reason::hold_expired)
    return reply.kind == op_kind::confirm && expected == changed;
  return reply.outcome == expected.what && reply.why == expected.why;
}

bool stock_model::is_balanced(const stock_counts& counts) const {
  return counts.available >= 0 && counts.reserved >= 0 && counts.sold >= 0 &&
         setup_.initial + restocked_ == counts.available + counts.reserved + counts.sold;
}

}  // namespace troupe::history
