#include <map>
#include <tuple>
#include <utility>

#include "cluster/history/checks.hpp"

namespace troupe::history {
namespace {

struct order_key {
  std::uint32_t sku = 0;
  std::uint64_t order = 0;
  friend bool operator==(const order_key&, const order_key&) = default;
};
struct order_hash {
  std::size_t operator()(const order_key& k) const noexcept {
    return static_cast<std::size_t>((k.order ^ std::uint64_t{k.sku} << 40U) * 0x9e3779b97f4a7c15ULL);
  }
};

/// What clients know about one order.
struct order_facts {
  const operation* reserved = nullptr;
  bool is_confirmed = false;
  bool may_be_cancelled = false;
};
using order_table = std::unordered_map<order_key, order_facts, order_hash>;

std::string in_words(std::int64_t units) { return std::to_string(units) + (units == 1 ? " unit" : " units"); }

/// Fills the table; a name that two commands were given is a violation.
order_table gather_orders(const recorded_history& history, const sku_table& skus, check_result& out) {
  order_table orders;
  for (const auto& op : history.operations) {
    if (op.order == 0 || op.kind == op_kind::read || op.kind == op_kind::restock) continue;
    const bool is_ok = op.outcome == outcome::ok;
    if (op.kind == op_kind::reserve && !is_ok) continue;
    auto& facts = orders[{op.sku, op.order}];
    if (op.kind == op_kind::reserve) {
      if (facts.reserved != nullptr && facts.reserved->command != op.command)
        out.violated("one order was given to two commands: " + to_string(*facts.reserved) + "; and " +
                     to_string(op));
      facts.reserved = &op;
      facts.is_confirmed |= !skus.at(op.sku).holds;
    }
    facts.is_confirmed |= op.kind == op_kind::confirm && is_ok;
    facts.may_be_cancelled |= op.kind == op_kind::cancel && op.outcome != outcome::rejected;
  }
  return orders;
}

}  // namespace

check_result check_counts(const recorded_history& history, const sku_table&) {
  check_result out{.name = "counts", .means = "no reply says that fewer than 0 units are left"};
  for (const auto& op : history.operations) {
    if (op.outcome == outcome::unknown) continue;
    ++out.examined;
    for (const auto units : {op.said.available, op.said.reserved, op.said.sold})
      if (units != not_said && units < 0) out.violated("a count is below 0: " + to_string(op));
  }
  return out;
}

check_result check_orders(const recorded_history& history, const sku_table& skus) {
  check_result out{.name = "orders", .means = "no order twice; what was sold for certain was there to sell"};
  const auto orders = gather_orders(history, skus, out);
  // Of each SKU: what there was at most, and what went for certain.
  std::map<std::uint32_t, std::pair<std::int64_t, std::int64_t>> units;
  for (const auto& [sku, setup] : skus) units[sku].first = setup.initial;
  for (const auto& op : history.operations) {
    // A command that is asked twice counts twice here: an upper bound may be too high, never too low.
    if (op.kind == op_kind::restock && op.outcome != outcome::rejected) units[op.sku].first += op.quantity;
  }
  for (const auto& [key, facts] : orders) {
    ++out.examined;
    if (facts.reserved != nullptr && facts.is_confirmed && !facts.may_be_cancelled)
      units[key.sku].second += facts.reserved->quantity;
  }
  for (const auto& [sku, u] : units)
    if (u.second > u.first)
      out.violated("oversold: of SKU " + std::to_string(sku) + " there were " + in_words(u.first) +
                   " at most, and " + in_words(u.second) + " were confirmed to buyers and not cancelled");
  return out;
}

check_result check_results(const recorded_history& history, const sku_table& skus,
                           const std::vector<std::uint32_t>& order) {
  check_result out{.name = "results",
                   .means = "a command has one result, and a place in the log one command"};
  const operation* first_ok = nullptr;  // of this command
  std::map<std::tuple<std::uint32_t, place>, const operation*> written;
  for (const auto position : order) {
    const auto& op = history.operations[position];
    if (first_ok != nullptr && first_ok->command != op.command) first_ok = nullptr;
    // Others may change nothing, as a confirmation that is there already: they have no place, and no stored
    // reply.
    if (op.outcome == outcome::unknown || (op.kind != op_kind::reserve && op.kind != op_kind::restock))
      continue;
    ++out.examined;
    if (op.outcome == outcome::rejected) {
      // In the order of their invocation: the refusal may also have been asked before.
      if (first_ok != nullptr && first_ok->returned_ns < op.invoked_ns)
        out.violated("refused although it had been acknowledged: " + to_string(*first_ok) + "; and " +
                     to_string(op));
      continue;
    }
    if (first_ok != nullptr && (first_ok->said != op.said || first_ok->order != op.order))
      out.violated("one command was answered in two ways: " + to_string(*first_ok) + "; and " +
                   to_string(op));
    if (first_ok == nullptr) first_ok = &op;
    if (op.is_replay) continue;
    const auto [at, is_new] = written.try_emplace({skus.at(op.sku).shard, op.witness}, &op);
    if (!is_new && at->second->command != op.command)
      out.violated("two commands were acknowledged at one place: " + to_string(*at->second) + "; and " +
                   to_string(op));
  }
  return out;
}

check_result check_sessions(const recorded_history& history, const sku_table& skus) {
  check_result out{.name = "sessions", .means = "no client is shown an older state than it has seen"};
  std::vector<step> seen;
  for (const auto& op : history.operations) {
    // A stored reply tells of the time when it was made.
    if (op.outcome == outcome::unknown || op.is_replay) continue;
    seen.push_back({op.invoked_ns, op.returned_ns, op.witness.index, &op, skus.at(op.sku).shard});
  }
  const auto whose = [](const step& s) { return std::pair{s.op->command.client, s.shard}; };
  sweep_in_time(seen, whose, [&](const step& s, const step* before) {
    ++out.examined;
    if (before != nullptr && s.index < before->index)
      out.violated("the client has gone back in time: after " + to_string(*before->op) + " came " +
                   to_string(*s.op));
  });
  return out;
}

}  // namespace troupe::history
