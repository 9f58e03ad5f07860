#include "cli/flash_sale/checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace troupe::flash_sale {
namespace {

check_result held(std::string name, std::string sentence) {
  return {std::move(name), check_state::held, std::move(sentence)};
}
check_result violated(std::string name, std::string sentence) {
  return {std::move(name), check_state::violated, std::move(sentence)};
}

std::int64_t count(const sale_facts& f, verdict v) {
  return std::count_if(f.outcomes.begin(), f.outcomes.end(),
                       [&](const outcome& o) { return o.decided == v; });
}

/// Orders that the stock and the limit allow to these buyers; buyers without an answer count when asked for.
std::int64_t orders_allowed(const sale_facts& f, bool count_unanswered) {
  std::unordered_map<std::string_view, std::int64_t> tries;
  for (std::size_t i = 0; i < f.outcomes.size(); ++i) {
    if (count_unanswered || f.outcomes[i].decided != verdict::unknown) ++tries[f.users[i]];
  }
  std::int64_t demand = 0;
  for (const auto& [user, number] : tries) {
    demand += f.per_user_limit ? std::min(number, *f.per_user_limit / f.quantity) : number;
  }
  return std::min(demand, f.stock / f.quantity);
}

check_result everybody_answered(const sale_facts& f) {
  const char* name = "everybody-answered";
  std::int64_t unfit = 0;
  std::string_view example;
  for (const auto& o : f.outcomes) {
    if (o.decided != verdict::refused || o.reason == "sold-out" || o.reason == "limit-reached") continue;
    ++unfit;
    example = o.reason;
  }
  if (unfit > 0) {
    return violated(name,
                    fmt::format("{} buyers were refused for a reason that has nothing to do with the stock, "
                                "e.g. {}.",
                                unfit, example));
  }
  const std::int64_t unknown = count(f, verdict::unknown);
  if (unknown == 0)
    return held(name, fmt::format("Each of the {} buyers got a clear answer.", f.outcomes.size()));
  auto result =
      violated(name, fmt::format("{} of {} buyers never got a clear answer.", unknown, f.outcomes.size()));
  if (f.losses_are_expected) {
    result.state = check_state::noted;
    result.sentence += " The server was killed and --retry-lost was not given.";
  }
  return result;
}

check_result sold_what_was_asked(const sale_facts& f) {
  const char* name = "sold-is-min-of-demand-and-stock";
  std::int64_t orders = 0;
  std::int64_t units = 0;
  std::int64_t given_back = 0;
  for (const auto& o : f.listed) {
    (o.holds_units() ? orders : given_back) += 1;
    if (o.holds_units()) units += o.quantity;
  }
  // A buyer without an answer may or may not have bought; units that came back may have been sold again or
  // not.
  const std::int64_t least = orders_allowed(f, false) - given_back;
  const std::int64_t most = orders_allowed(f, true);
  const std::string seen = fmt::format("{} orders for {} units", orders, units);
  if (units > f.stock)
    return violated(name, fmt::format("OVERSOLD: {}, but the stock was {}.", seen, f.stock));
  if (orders > most)
    return violated(name, fmt::format("Too much was sold: {}, but {} could be.", seen, most));
  if (orders < least)
    return violated(name, fmt::format("Too little was sold: {}, but {} should be.", seen, least));
  return held(name, fmt::format("{} sold, as many as demand and stock allow.", seen));
}

check_result acknowledged_are_listed(const sale_facts& f) {
  const char* name = "no-acknowledged-order-lost";
  std::unordered_map<std::string_view, const listed_order*> by_id;
  for (const auto& o : f.listed) by_id.emplace(o.order_id, &o);
  std::int64_t missing = 0;
  std::int64_t different = 0;
  std::string example;
  for (std::size_t i = 0; i < f.outcomes.size(); ++i) {
    const outcome& o = f.outcomes[i];
    if (o.decided != verdict::ordered) continue;
    const auto found = by_id.find(o.order_id);
    if (found == by_id.end()) {
      if (missing++ == 0) example = fmt::format("order {} (arrival {})", o.order_id, o.arrival);
      continue;
    }
    const listed_order& l = *found->second;
    if (l.arrival == o.arrival && l.quantity == o.quantity && l.user_id == f.users[i] &&
        o.quantity == f.quantity)
      continue;
    if (different++ == 0 && missing == 0) {
      example = fmt::format("order {}: told arrival {} and {} units, listed arrival {} and {} units{}",
                            o.order_id, o.arrival, o.quantity, l.arrival, l.quantity,
                            l.user_id == f.users[i] ? "" : " of another user");
    }
  }
  const std::int64_t told = count(f, verdict::ordered);
  if (missing > 0)
    return violated(name,
                    fmt::format("LOST: {} of {} acknowledged orders are not in the server's list, e.g. {}.",
                                missing, told, example));
  if (different > 0)
    return violated(
        name, fmt::format("{} acknowledged orders are listed differently, e.g. {}.", different, example));
  return held(
      name, fmt::format("All {} acknowledged orders are in the server's list, with the same arrival number.",
                        told));
}

check_result none_twice(const sale_facts& f) {
  const char* name = "no-order-twice";
  const std::int64_t twice = count_duplicates(f);
  if (twice > 0)
    return violated(name,
                    fmt::format("DOUBLED: {} orders exist or were acknowledged more than once.", twice));
  return held(name, "No order exists twice.");
}

check_result none_unaccounted(const sale_facts& f) {
  const char* name = "no-order-unaccounted-for";
  std::unordered_set<std::string_view> told;
  std::unordered_map<std::string_view, std::int64_t> unanswered;
  for (std::size_t i = 0; i < f.outcomes.size(); ++i) {
    if (f.outcomes[i].decided == verdict::ordered) told.insert(f.outcomes[i].order_id);
    if (f.outcomes[i].decided == verdict::unknown) ++unanswered[f.users[i]];
  }
  std::int64_t strange = 0;
  std::int64_t of_unanswered = 0;
  std::string_view example;
  for (const auto& o : f.listed) {
    if (told.contains(o.order_id)) continue;
    const auto found = unanswered.find(o.user_id);
    if (found != unanswered.end() && found->second > 0) {
      --found->second;
      ++of_unanswered;
    } else {
      ++strange;
      example = o.order_id;
    }
  }
  if (strange > 0)
    return violated(name, fmt::format("{} orders are in the list that nobody was told about, e.g. {}.",
                                      strange, example));
  if (of_unanswered > 0) {
    return {name, check_state::noted,
            fmt::format(
                "{} orders in the list belong to buyers who never got their answer; repeating with the same "
                "key would tell them.",
                of_unanswered)};
  }
  return held(name, "Every order in the list was acknowledged to its buyer.");
}

check_result arrivals_gapless(const sale_facts& f) {
  const char* name = "arrivals-without-a-gap";
  std::vector<std::uint64_t> arrivals;
  arrivals.reserve(f.listed.size());
  for (const auto& o : f.listed) arrivals.push_back(o.arrival);
  std::sort(arrivals.begin(), arrivals.end());
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    if (arrivals[i] == i + 1) continue;
    return violated(name, fmt::format("Arrival numbers are not 1 to {}: number {} in the list is {}.",
                                      arrivals.size(), i + 1, arrivals[i]));
  }
  if (arrivals.empty()) return held(name, "No orders, so no arrival numbers.");
  return held(name, fmt::format("Arrival numbers run from 1 to {} without a gap.", arrivals.size()));
}

check_result stock_adds_up(const sale_facts& f) {
  const char* name = "stock-adds-up";
  const stock_view& v = f.view;
  const std::string equation = fmt::format("{} initial + {} restocked = {} available + {} reserved + {} sold",
                                           v.initial, v.restocked, v.available, v.reserved, v.sold);
  if (v.available < 0 || v.reserved < 0 || v.sold < 0)
    return violated(name, fmt::format("Below zero: {}.", equation));
  if (v.initial != f.stock)
    return violated(name,
                    fmt::format("The stock was set to {}, the server says {} initial.", f.stock, v.initial));
  if (v.initial + v.restocked != v.available + v.reserved + v.sold)
    return violated(name, fmt::format("Does not add up: {}.", equation));
  std::int64_t listed = 0;
  for (const auto& o : f.listed) listed += o.holds_units() ? o.quantity : 0;
  if (listed != v.reserved + v.sold) {
    return violated(name,
                    fmt::format("The orders in the list hold {} units, the stock says {} reserved + {} sold.",
                                listed, v.reserved, v.sold));
  }
  return held(name, equation + ".");
}

check_result limit_held(const sale_facts& f) {
  const char* name = "per-user-limit-held";
  std::unordered_map<std::string_view, std::int64_t> units;
  for (const auto& o : f.listed) units[o.user_id] += o.holds_units() ? o.quantity : 0;
  std::int64_t over = 0;
  std::string_view example;
  for (const auto& [user, number] : units) {
    if (number <= *f.per_user_limit) continue;
    ++over;
    example = user;
  }
  if (over > 0)
    return violated(
        name, fmt::format("{} users have more than {} units, e.g. {}.", over, *f.per_user_limit, example));
  return held(name, fmt::format("No user has more than {} units.", *f.per_user_limit));
}

}  // namespace

std::int64_t count_duplicates(const sale_facts& f) {
  std::unordered_set<std::string_view> ids;
  std::unordered_set<std::uint64_t> arrivals;
  std::int64_t acknowledged_twice = 0;
  std::unordered_map<std::string_view, std::int64_t> asked;
  for (std::size_t i = 0; i < f.outcomes.size(); ++i) {
    ++asked[f.users[i]];
    const outcome& o = f.outcomes[i];
    if (o.decided != verdict::ordered) continue;
    const bool is_new_id = ids.insert(o.order_id).second;
    const bool is_new_arrival = arrivals.insert(o.arrival).second;
    if (!is_new_id || !is_new_arrival) ++acknowledged_twice;
  }
  ids.clear();
  arrivals.clear();
  std::int64_t listed_twice = 0;
  for (const auto& o : f.listed) {
    const bool is_new_id = ids.insert(o.order_id).second;
    const bool is_new_arrival = arrivals.insert(o.arrival).second;
    // Orders of strangers are none of ours; another check reports them.
    const auto of_user = asked.find(o.user_id);
    const bool is_one_too_many = of_user != asked.end() && --of_user->second < 0;
    if (!is_new_id || !is_new_arrival || is_one_too_many) ++listed_twice;
  }
  return std::max(acknowledged_twice, listed_twice);
}

std::vector<check_result> check_sale(const sale_facts& f) {
  std::vector<check_result> results{everybody_answered(f), sold_what_was_asked(f), acknowledged_are_listed(f),
                                    none_twice(f),         none_unaccounted(f),    arrivals_gapless(f),
                                    stock_adds_up(f)};
  if (f.per_user_limit) results.push_back(limit_held(f));
  return results;
}

}  // namespace troupe::flash_sale
