#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "cli/flash_sale/figures.hpp"
#include "cli/flash_sale/report.hpp"

namespace troupe::flash_sale {
namespace {

struct style {
  cli::terminal out;
  std::string paint(std::string_view code, std::string_view text) const {
    return out.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
  std::string bold(std::string_view text) const { return paint("1", text); }
};

std::string row(std::string_view name, std::string_view value) {
  return fmt::format("  {:<24}{:>12}\n", name, value);
}

std::string heading(const sale_report& r, const style& s) {
  std::string out = s.bold(fmt::format("Flash sale of {}", r.sku)) + "\n";
  out += fmt::format("  {} buyers ({} users) on {} connections wanted {} unit{} each; {} in stock",
                     grouped(r.buyers), grouped(r.users), grouped(r.connections), r.quantity,
                     r.quantity == 1 ? "" : "s", grouped(r.stock));
  if (r.per_user_limit) out += fmt::format(", at most {} a user", *r.per_user_limit);
  if (r.hold_seconds) out += fmt::format(", held for {} s", *r.hold_seconds);
  return out + fmt::format("\n  {} at {}, seed {}\n", r.url, to_rfc3339(r.started_at), r.seed);
}

std::string results(const sale_report& r, const style& s) {
  std::string out = "\n" + s.bold("Result") + "\n";
  out += row("sold (orders)", grouped(r.sold_orders));
  if (r.quantity != 1) out += row("sold (units)", grouped(r.sold_units));
  for (const auto& reason : r.rejected_by_reason)
    out += row("rejected: " + reason.reason, grouped(reason.count));
  if (r.rejected_by_reason.empty()) out += row("rejected", "0");
  out += row("lost (no answer)", grouped(r.lost));
  for (const auto& reason : r.lost_by_reason) out += row("  " + reason.reason, grouped(reason.count));
  out += row("duplicates", grouped(r.duplicates));
  if (r.repeated > 0) {
    out += row("asked more than once", grouped(r.repeated));
    out += row("stored receipts replayed", grouped(r.replayed));
  }
  out += row("start gun to last answer", duration(r.wall_us));
  out += row("accepts/s", grouped(r.accepts_per_second));
  out += row("rejects/s", grouped(r.rejects_per_second));
  if (r.kill) {
    out += "\n" + s.bold("Kill") + "\n";
    out += row("killed at", grouped(r.kill->killed_at_ms) + " ms");
    out += row("answers before", grouped(r.kill->answers_before));
    if (r.kill->first_answer_after_ms > 0) {
      out += row("next answer at", grouped(r.kill->first_answer_after_ms) + " ms");
    }
    out += row("gap without any answer", grouped(r.kill->gap_ms) + " ms");
  }
  return out;
}

std::string latency_row(std::string_view who, const latency_summary& l) {
  if (l.count == 0)
    return fmt::format("  {:<10}{:>8}{:>11}{:>11}{:>11}{:>11}{:>11}\n", who, 0, "-", "-", "-", "-", "-");
  return fmt::format("  {:<10}{:>8}{:>11}{:>11}{:>11}{:>11}{:>11}\n", who, grouped(l.count),
                     duration(l.p50_us), duration(l.p90_us), duration(l.p99_us), duration(l.p999_us),
                     duration(l.max_us));
}

/// Eighths of a cell where the terminal can show them, so that small counts do not vanish.
std::string bar(std::int64_t count, std::int64_t most, std::size_t cells, bool utf8) {
  if (count == 0 || most == 0) return "";
  static constexpr std::string_view eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto parts =
      std::max<std::size_t>(1, static_cast<std::size_t>(count) * cells * 8 / static_cast<std::size_t>(most));
  std::string out;
  if (!utf8) return std::string(std::max<std::size_t>(1, parts / 8), '#');
  for (std::size_t i = 0; i < parts / 8; ++i) out += "█";
  return out.append(eighths[parts % 8]);
}

std::string histogram_row(const latency_bucket& b, std::int64_t most, const style& s) {
  constexpr std::size_t cells = 24;
  const std::string winners = bar(b.winners, most, cells, s.out.utf8);
  const std::size_t width = s.out.utf8 ? winners.size() / std::string_view("█").size() : winners.size();
  std::string out = fmt::format("  {:>8} {:>9} {:>8} {}{} {:>8}", duration(b.from_us), duration(b.to_us),
                                grouped(b.winners), s.paint("32", winners), std::string(cells - width, ' '),
                                grouped(b.losers));
  if (b.losers > 0) out += " " + s.paint("33", bar(b.losers, most, cells, s.out.utf8));
  return out + "\n";
}

std::string histogram(const sale_report& r, const style& s) {
  std::int64_t most = 0;
  for (const auto& b : r.latency) most = std::max({most, b.winners, b.losers});
  std::string out = "\n" + s.bold("Latency, send to answer (longest bar: fullest bucket)") + "\n";
  out += fmt::format("  {:>8} {:>9} {:>8} {:<24} {:>8}\n", "from", "to", "winners", "", "losers");
  const auto is_empty = [](const latency_bucket& b) { return b.winners + b.losers == 0; };
  for (auto b = r.latency.begin(); b != r.latency.end();) {
    const auto run_end = std::find_if_not(b, r.latency.end(), is_empty);
    if (run_end - b > 2) {
      out += fmt::format("  {:>8}\n", "...");
      b = run_end;
    } else {
      out += histogram_row(*b++, most, s);
    }
  }
  return out;
}

std::string check_lines(const sale_report& r, const style& s) {
  std::string out = "\n" + s.bold("Checks, against what the server says now") + "\n";
  for (const auto& c : r.checks) {
    switch (c.state) {
      case check_state::held:
        out += "  " + s.paint("32", s.out.utf8 ? "✓" : "ok  ");
        break;
      case check_state::noted:
        out += "  " + s.paint("33", s.out.utf8 ? "!" : "note");
        break;
      case check_state::violated:
        out += "  " + s.paint("31;1", s.out.utf8 ? "✗" : "FAIL");
        break;
    }
    out += " " + c.sentence + "\n";
  }
  return out + "\n" +
         (r.passed ? s.paint("32;1", "Every check held.")
                   : s.paint("31;1", "The sale went wrong: see the checks above.")) +
         "\n";
}

}  // namespace

std::string report_text(const sale_report& r, const cli::terminal& out) {
  const style s{out};
  std::string text = heading(r, s) + results(r, s);
  text += "\n" +
          s.bold(fmt::format("  {:<10}{:>8}{:>11}{:>11}{:>11}{:>11}{:>11}", "", "count", "p50", "p90", "p99",
                             "p99.9", "max")) +
          "\n";
  text += latency_row("winners", r.winners) + latency_row("losers", r.losers);
  if (!r.latency.empty()) text += histogram(r, s);
  return text + check_lines(r, s);
}

}  // namespace troupe::flash_sale
