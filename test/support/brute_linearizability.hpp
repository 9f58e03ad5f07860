#pragma once

#include <algorithm>
#include <map>
#include <vector>

#include "cluster/history/operation.hpp"
#include "cluster/history/stock_model.hpp"

namespace troupe::test {

/// Tries every order: whether some order of the operations that agrees with real time makes every reply
/// legal. Looks at replies only, not at places in a log. For a handful of operations, one attempt a command.
class brute_linearizability {
 public:
  static bool accepts(const history::recorded_history& h) {
    std::map<std::uint32_t, history::stock_model> models;
    for (const auto& s : h.skus) models.emplace(s.sku, history::stock_model{s});
    auto operations = h.operations;
    for (auto& op : operations) name_order(op, h);
    return extend(operations, models);
  }

 private:
  using models_t = std::map<std::uint32_t, history::stock_model>;

  /// A reserve that was not answered has given its order a name that only the log knows.
  static void name_order(history::operation& op, const history::recorded_history& h) {
    if (op.kind != history::op_kind::reserve || op.order != 0) return;
    for (const auto& r : h.replicas)
      for (const auto& entry : r.entries)
        if (entry.command == op.command && entry.at.index <= r.commit) op.order = entry.order;
  }

  static bool extend(const std::vector<history::operation>& rest, const models_t& models) {
    std::int64_t first_return = history::never;
    bool all_unknown = true;
    for (const auto& op : rest) {
      first_return = std::min(first_return, op.returned_ns);
      all_unknown = all_unknown && op.outcome == history::outcome::unknown;
    }
    if (all_unknown) return true;  // none of them needs to have happened
    for (std::size_t i = 0; i < rest.size(); ++i) {
      if (rest[i].invoked_ns > first_return) continue;  // another one was over before it began
      auto next_models = models;
      auto& model = next_models.at(rest[i].sku);
      const auto answer = model.apply(rest[i].kind, rest[i].order, rest[i].quantity);
      if (rest[i].outcome != history::outcome::unknown && !model.allows(rest[i], answer)) continue;
      auto next = rest;
      next.erase(next.begin() + static_cast<std::ptrdiff_t>(i));
      if (extend(next, next_models)) return true;
    }
    return false;
  }
};

}  // namespace troupe::test
