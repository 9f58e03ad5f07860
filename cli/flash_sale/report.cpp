#include "cli/flash_sale/report.hpp"

#include <algorithm>
#include <map>

#include "runtime/entity/json_write.hpp"

namespace troupe::flash_sale {
namespace {

/// Most frequent first, then by name.
std::vector<reason_count> by_reason(const std::vector<outcome>& outcomes, verdict v) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& o : outcomes) {
    if (o.decided == v) ++counts[o.reason];
  }
  std::vector<reason_count> out;
  for (const auto& [reason, count] : counts) out.push_back({reason, count});
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  return out;
}

std::int64_t per_second(std::int64_t count, std::int64_t wall_us) {
  return wall_us == 0 ? 0 : count * 1'000'000 / wall_us;
}

void measure(const std::vector<outcome>& outcomes, const std::optional<sale::kill_moment>& killed,
             sale_report& r) {
  std::vector<std::int64_t> won_us, lost_us, won_at, lost_at;
  for (const auto& o : outcomes) {
    if (o.attempts > 1) ++r.repeated;
    if (o.decided == verdict::unknown) continue;
    const bool has_won = o.decided == verdict::ordered;
    (has_won ? won_us : lost_us).push_back(o.latency().count());
    (has_won ? won_at : lost_at).push_back(o.answered_at.count());
    r.wall_us = std::max<std::int64_t>(r.wall_us, o.answered_at.count());
    if (has_won) {
      ++r.sold_orders;
      r.sold_units += o.quantity;
      r.replayed += o.is_replayed ? 1 : 0;
    } else {
      ++r.rejected;
    }
    if (killed && o.answered_at > killed->at + std::chrono::milliseconds{1}) {
      const std::int64_t ms = o.answered_at.count() / 1000;
      auto& first = r.kill->first_answer_after_ms;
      if (o.attempts > 1 && (first == 0 || ms < first)) first = ms;
    }
  }
  r.winners = summarize(won_us);
  r.losers = summarize(lost_us);
  r.latency = latency_histogram(won_us, lost_us);
  r.over_time = answers_over_time(won_at, lost_at);
}

}  // namespace

sale_report make_report(const flash_sale_options& o, const sale_facts& facts, const sale_timing& timing) {
  sale_report r;
  r.url = o.url;
  r.sku = o.sku;
  r.seed = o.seed;
  r.started_at = timing.started_at;
  r.buyers = o.buyers;
  r.users = o.users;
  r.connections = o.connections;
  r.stock = o.stock;
  r.quantity = o.quantity;
  r.per_user_limit = o.per_user_limit;
  r.hold_seconds = o.hold_seconds;
  if (timing.killed) {
    r.kill = kill_report{.killed_at_ms = timing.killed->at.count() / 1000,
                         .answers_before = static_cast<std::int64_t>(timing.killed->answers_before),
                         .first_answer_after_ms = 0,
                         .gap_ms = timing.longest_silence.length.count() / 1000};
  }
  measure(facts.outcomes, timing.killed, r);
  r.rejected_by_reason = by_reason(facts.outcomes, verdict::refused);
  r.lost_by_reason = by_reason(facts.outcomes, verdict::unknown);
  r.lost = r.buyers - r.sold_orders - r.rejected;
  r.duplicates = count_duplicates(facts);
  r.accepts_per_second = per_second(r.sold_orders, r.wall_us);
  r.rejects_per_second = per_second(r.rejected, r.wall_us);
  r.checks = check_sale(facts);
  r.passed = std::none_of(r.checks.begin(), r.checks.end(),
                          [](const check_result& c) { return c.state == check_state::violated; });
  return r;
}

std::string report_json(const sale_report& report) {
  std::string out;
  write_json(out, report);
  out.push_back('\n');
  return out;
}

}  // namespace troupe::flash_sale
