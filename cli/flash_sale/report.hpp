#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/flash_sale/checks.hpp"
#include "cli/flash_sale/options.hpp"
#include "cli/flash_sale/sale.hpp"
#include "cli/flash_sale/statistics.hpp"
#include "cli/terminal.hpp"
#include "runtime/base/time.hpp"

namespace troupe::flash_sale {

struct reason_count {
  std::string reason;
  std::int64_t count = 0;
  friend bool operator==(const reason_count&, const reason_count&) = default;
};
TROUPE_DESCRIBE(reason_count, reason, count)

/// What happened when the server was killed. Times count from the start gun.
struct kill_report {
  std::int64_t killed_at_ms = 0;
  std::int64_t answers_before = 0;
  std::int64_t first_answer_after_ms = 0;  ///< 0: there was none
  std::int64_t gap_ms = 0;                 ///< the longest time without any answer
};
TROUPE_DESCRIBE(kill_report, killed_at_ms, answers_before, first_answer_after_ms, gap_ms)

/// One sale, as it is printed, written as JSON and drawn. Rates are over the wall time, from the start gun to
/// the last answer.
struct sale_report {
  std::string url;
  std::string sku;
  std::uint64_t seed = 0;
  timestamp started_at;
  std::int64_t buyers = 0;
  std::int64_t users = 0;
  std::int64_t connections = 0;
  std::int64_t stock = 0;
  std::int64_t quantity = 1;
  std::optional<std::int64_t> per_user_limit;
  std::optional<std::int64_t> hold_seconds;

  std::int64_t sold_orders = 0;
  std::int64_t sold_units = 0;
  std::int64_t rejected = 0;
  std::vector<reason_count> rejected_by_reason;
  std::int64_t lost = 0;
  std::vector<reason_count> lost_by_reason;
  std::int64_t duplicates = 0;
  std::int64_t repeated = 0;  ///< buyers who had to ask more than once
  std::int64_t replayed = 0;  ///< of the sold ones, those whose receipt was a stored one

  std::int64_t wall_us = 0;
  std::int64_t accepts_per_second = 0;
  std::int64_t rejects_per_second = 0;
  latency_summary winners;
  latency_summary losers;
  std::vector<latency_bucket> latency;
  std::vector<time_bucket> over_time;
  std::optional<kill_report> kill;

  std::vector<check_result> checks;
  bool passed = false;
};
TROUPE_DESCRIBE(sale_report, url, sku, seed, started_at, buyers, users, connections, stock, quantity,
                per_user_limit, hold_seconds, sold_orders, sold_units, rejected, rejected_by_reason, lost,
                lost_by_reason, duplicates, repeated, replayed, wall_us, accepts_per_second,
                rejects_per_second, winners, losers, latency, over_time, kill, checks, passed)

/// What the sale itself knows beside the facts that are checked.
struct sale_timing {
  timestamp started_at;
  sale_ledger::silence longest_silence;
  std::optional<sale::kill_moment> killed;
};

sale_report make_report(const flash_sale_options& options, const sale_facts& facts,
                        const sale_timing& timing);

std::string report_text(const sale_report& report, const cli::terminal& out);
std::string report_json(const sale_report& report);
std::string report_html(const sale_report& report);

}  // namespace troupe::flash_sale
