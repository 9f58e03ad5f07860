#include <fmt/format.h>

#include <string>

#include "cli/flash_sale/figures.hpp"
#include "cli/flash_sale/html_charts.hpp"
#include "cli/flash_sale/html_style.hpp"
#include "cli/flash_sale/report.hpp"

namespace troupe::flash_sale {
namespace {

using html::escaped;

std::string key(std::string_view colour, std::string_view text) {
  return fmt::format("<li><i class=\"key-{}\"></i>{}</li>", colour, text);
}

std::string time(std::int64_t us) { return duration(us, "µs"); }

std::string figure(std::string_view name, const std::string& value) {
  return fmt::format("<div><dl><dt>{}</dt><dd>{}</dd></dl></div>\n", name, value);
}

std::string figures(const sale_report& r) {
  std::string out = "<div class=\"figures\">\n" + figure("sold", grouped(r.sold_orders)) +
                    figure("rejected", grouped(r.rejected)) + figure("lost (no answer)", grouped(r.lost)) +
                    figure("duplicates", grouped(r.duplicates)) +
                    figure("until the last answer", time(r.wall_us)) +
                    figure("answers a second", grouped(r.accepts_per_second + r.rejects_per_second));
  if (r.kill) out += figure("gap after kill -9", grouped(r.kill->gap_ms) + " ms");
  return out + "</div>\n";
}

std::string checks(const sale_report& r) {
  std::string out =
      "<section><div class=\"head\"><h2>Checks, against what the server says afterwards</h2></div>\n<ul "
      "class=\"checks\">\n";
  for (const auto& c : r.checks) {
    const char* look = "good";
    const char* mark = "✓";
    const char* word = "held";
    if (c.state == check_state::noted) look = "noted", mark = "!", word = "to note";
    if (c.state == check_state::violated) look = "bad", mark = "✗", word = "violated";
    out += fmt::format("<li><b class=\"{}\" role=\"img\" aria-label=\"{}\">{}</b>{}</li>\n", look, word, mark,
                       escaped(c.sentence));
  }
  return out + "</ul></section>\n";
}

std::string latency_table(const sale_report& r) {
  std::string out =
      "<div "
      "class=\"scroll\"><table><tr><th></th><th>count</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</"
      "th><th>max</th></tr>\n";
  const auto row = [&](std::string_view who, const latency_summary& l) {
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", who,
        grouped(l.count), time(l.p50_us), time(l.p90_us), time(l.p99_us), time(l.p999_us), time(l.max_us));
  };
  if (r.winners.count > 0) row("winners", r.winners);
  if (r.losers.count > 0) row("losers", r.losers);
  return out + "</table></div>\n";
}

std::string reasons(const sale_report& r) {
  if (r.rejected_by_reason.empty() && r.lost_by_reason.empty()) return {};
  std::string out =
      "<section><div class=\"head\"><h2>Who got nothing, and "
      "why</h2></div>\n<table><tr><th>reason</th><th>buyers</th></tr>\n";
  for (const auto& c : r.rejected_by_reason)
    out += fmt::format("<tr><td>rejected: {}</td><td>{}</td></tr>\n", escaped(c.reason), grouped(c.count));
  for (const auto& c : r.lost_by_reason)
    out += fmt::format("<tr><td>lost: {}</td><td>{}</td></tr>\n", escaped(c.reason), grouped(c.count));
  return out + "</table></section>\n";
}

/// The numbers behind the latency drawing, for those who cannot or would rather not look at it.
std::string latency_numbers(const sale_report& r) {
  std::string out =
      "<details><summary>The numbers behind the drawing</summary><div "
      "class=\"scroll\"><table><tr><th>from</th><th>to</th><th>winners</th><th>losers</th></tr>\n";
  for (const auto& b : r.latency) {
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", time(b.from_us),
                       time(b.to_us), grouped(b.winners), grouped(b.losers));
  }
  return out + "</table></div></details>\n";
}

std::string section(std::string_view title, std::string_view legend, const std::string& content) {
  return fmt::format(
      "<section><div class=\"head\"><h2>{}</h2><ul class=\"legend\">{}</ul></div>\n{}</section>\n", title,
      legend, content);
}

std::string what_was_sold(const sale_report& r) {
  std::string out =
      fmt::format("{} buyers on {} connections wanted {} unit{} each of {} in stock", grouped(r.buyers),
                  grouped(r.connections), r.quantity, r.quantity == 1 ? "" : "s", grouped(r.stock));
  if (r.users != r.buyers) out += fmt::format(", from {} accounts", grouped(r.users));
  if (r.per_user_limit) out += fmt::format(", at most {} a user", *r.per_user_limit);
  if (r.hold_seconds) out += fmt::format(", held for {} s", *r.hold_seconds);
  return out + ".";
}

}  // namespace

std::string report_html(const sale_report& r) {
  const std::string both = key("sold", "sold") + key("refused", "rejected");
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += fmt::format("<title>Flash sale of {}</title>\n<style>{}</style></head>\n<body><main>\n",
                     escaped(r.sku), html::style);
  out += fmt::format("<h1>Flash sale of {}</h1>\n<p>{}</p>\n<p class=\"soft\">{} at {}, seed {}</p>\n",
                     escaped(r.sku), what_was_sold(r), escaped(r.url), to_rfc3339(r.started_at), r.seed);
  out += fmt::format("<p class=\"verdict {}\">{}</p>\n", r.passed ? "good" : "bad",
                     r.passed ? "✓ Every check held" : "✗ The sale went wrong");
  out += figures(r) + checks(r);
  out += section("The sale over time", both, "<div class=\"scroll\">" + html::answers_chart(r) + "</div>");
  out += section("Answers so far", key("sold", "sold") + key("answered", "all answers"),
                 "<div class=\"scroll\">" + html::cumulative_chart(r) + "</div>");
  out += section(
      "How long buyers waited", key("sold", "share of winners") + key("refused", "share of losers"),
      "<div class=\"scroll\">" + html::latency_chart(r) + "</div>\n" + latency_table(r) + latency_numbers(r));
  return out + reasons(r) + "</main></body></html>\n";
}

}  // namespace troupe::flash_sale
