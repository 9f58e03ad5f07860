#include "cli/flash_sale/html_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cli/flash_sale/figures.hpp"

namespace troupe::flash_sale::html {
namespace {

/// The drawing area in SVG units, which are about a pixel on a wide screen.
struct frame {
  double width = 1000;
  double height = 300;
  double left = 64;
  double right = 16;
  double top = 16;
  double bottom = 44;

  double inner_width() const { return width - left - right; }
  double inner_height() const { return height - top - bottom; }
  double floor() const { return height - bottom; }
  double y(double value, double most) const { return floor() - value / most * inner_height(); }
};

/// 1, 2 or 5 times a power of ten, not below `least`.
double nice_step(double least) {
  const double power = std::pow(10, std::floor(std::log10(std::max(least, 1e-9))));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * 0.999) return factor * power;
  }
  return 10 * power;
}

std::string open_svg(const frame& f, std::string_view label) {
  return fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", f.width, f.height,
                     escaped(label)) +
         "\n";
}

/// Lines and numbers of the value axis; returns its upper end through `most`.
std::string value_axis(const frame& f, double& most, double least_step, std::string_view unit) {
  const double step = std::max(nice_step(most / 5), least_step);
  most = std::max(step, std::ceil(most / step) * step);
  std::string out;
  for (double v = 0; v <= most * 1.001; v += step) {
    out += fmt::format(R"(<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>)", f.left,
                       f.width - f.right, f.y(v, most));
    out += fmt::format(R"(<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}{}</text>)", f.left - 8,
                       f.y(v, most) + 4, grouped(std::llround(v)), unit) +
           "\n";
  }
  return out;
}

std::string axis_title(const frame& f, std::string_view text) {
  return fmt::format(R"(<text class="axis" x="{:.0f}" y="{:.0f}" text-anchor="middle">{}</text>)",
                     f.left + f.inner_width() / 2, f.height - 6, escaped(text)) +
         "\n";
}

std::string time_ticks(const frame& f, double end_ms) {
  const double step = nice_step(end_ms / 10);
  std::string out;
  for (double at = 0; at <= end_ms * 1.001; at += step) {
    out += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{:g}</text>)",
                       f.left + at / end_ms * f.inner_width(), f.floor() + 18, at) +
           "\n";
  }
  return out;
}

/// For axes: the edges of buckets have two digits at most.
std::string short_duration(std::int64_t us) {
  if (us < 1'000) return fmt::format("{} µs", us);
  const double ms = static_cast<double>(us) / 1e3;
  return us < 1'000'000 ? fmt::format("{:g} ms", ms) : fmt::format("{:g} s", ms / 1e3);
}

/// A vertical line where the server was killed.
std::string kill_mark(const frame& f, const sale_report& r, double end_ms) {
  if (!r.kill) return {};
  const double x = f.left + static_cast<double>(r.kill->killed_at_ms) / end_ms * f.inner_width();
  const bool is_right = x > f.width * 0.8;
  return fmt::format(
             R"(<line class="kill" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/><text class="kill" x="{3:.1f}" y="{4}" text-anchor="{5}">kill -9</text>)",
             x, f.top, f.floor(), is_right ? x - 6 : x + 6, f.top + 12, is_right ? "end" : "start") +
         "\n";
}

/// Stretches of equal length from 0 to the last answer, joined so that no more than about a hundred are
/// drawn.
struct joined_time {
  std::int64_t column_ms = time_bucket_ms;
  std::vector<time_bucket> columns;
  double end_ms() const { return static_cast<double>(column_ms) * static_cast<double>(columns.size()); }
};

joined_time join(const std::vector<time_bucket>& buckets) {
  joined_time out;
  const std::int64_t end = buckets.empty() ? time_bucket_ms : buckets.back().from_ms + time_bucket_ms;
  constexpr std::int64_t columns_max = 120;
  if (end / time_bucket_ms > columns_max)
    out.column_ms = std::llround(nice_step(static_cast<double>(end) / columns_max / 10)) * 10;
  out.columns.resize(static_cast<std::size_t>((end + out.column_ms - 1) / out.column_ms));
  for (std::size_t i = 0; i < out.columns.size(); ++i)
    out.columns[i].from_ms = static_cast<std::int64_t>(i) * out.column_ms;
  for (const auto& b : buckets) {
    auto& column = out.columns[static_cast<std::size_t>(b.from_ms / out.column_ms)];
    column.sold += b.sold;
    column.refused += b.refused;
  }
  return out;
}

std::string bar(std::string_view colour, double x, double y, double width, double height,
                std::string_view tip) {
  if (height <= 0) return {};
  return fmt::format(
             R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>)",
             colour, x, y, std::max(width, 0.6), height, escaped(tip)) +
         "\n";
}

std::string step_line(std::string_view colour, const frame& f, const std::vector<double>& values,
                      double most) {
  std::string points = fmt::format("{:.1f},{:.1f}", f.left, f.floor());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x =
        f.left + static_cast<double>(i + 1) / static_cast<double>(values.size()) * f.inner_width();
    points += fmt::format(" {:.1f},{:.1f}", x, f.y(values[i], most));
  }
  return fmt::format(R"(<polyline class="line-{}" points="{}"/>)", colour, points) + "\n";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string answers_chart(const sale_report& r) {
  const frame f;
  const joined_time time = join(r.over_time);
  double most = 1;
  for (const auto& c : time.columns) most = std::max(most, static_cast<double>(c.sold + c.refused));
  std::string out =
      open_svg(f, "Answers over time: how many orders were sold and refused in each stretch of the sale");
  out += value_axis(f, most, 1, "");
  const double step = f.inner_width() / static_cast<double>(time.columns.size());
  for (std::size_t i = 0; i < time.columns.size(); ++i) {
    const auto& c = time.columns[i];
    const double x = f.left + step * static_cast<double>(i) + step * 0.06;
    const double sold_y = f.y(static_cast<double>(c.sold), most);
    const double top_y = f.y(static_cast<double>(c.sold + c.refused), most);
    const std::string tip = fmt::format("{} to {} ms: {} sold, {} refused", c.from_ms,
                                        c.from_ms + time.column_ms, grouped(c.sold), grouped(c.refused));
    out += bar("sold", x, sold_y, step * 0.88, f.floor() - sold_y, tip);
    out += bar("refused", x, top_y, step * 0.88, sold_y - top_y, tip);
  }
  out += kill_mark(f, r, time.end_ms()) + time_ticks(f, time.end_ms());
  return out + axis_title(f, fmt::format("ms after the start gun; answers in each {} ms", time.column_ms)) +
         "</svg>\n";
}

std::string cumulative_chart(const sale_report& r) {
  frame f;
  f.height = 220;
  const joined_time time = join(r.over_time);
  std::vector<double> sold;
  std::vector<double> answered;
  double sold_so_far = 0;
  double so_far = 0;
  for (const auto& c : time.columns) {
    sold_so_far += static_cast<double>(c.sold);
    so_far += static_cast<double>(c.sold + c.refused);
    sold.push_back(sold_so_far);
    answered.push_back(so_far);
  }
  double most = std::max(so_far, 1.0);
  std::string out = open_svg(f, "Answers so far: orders sold, and all answers, against time");
  out += value_axis(f, most, 1, "");
  out += step_line("answered", f, answered, most) + step_line("sold", f, sold, most);
  out += kill_mark(f, r, time.end_ms()) + time_ticks(f, time.end_ms());
  return out + axis_title(f, "ms after the start gun") + "</svg>\n";
}

std::string latency_chart(const sale_report& r) {
  const frame f;
  const auto share = [](std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  };
  double most = 1;
  for (const auto& b : r.latency)
    most = std::max({most, share(b.winners, r.winners.count), share(b.losers, r.losers.count)});
  std::string out =
      open_svg(f, "Latency: share of winners and of losers by the time from sending to the answer");
  out += value_axis(f, most, 1, " %");
  const double step = f.inner_width() / static_cast<double>(std::max<std::size_t>(r.latency.size(), 1));
  // A narrow drawing has no room for the text of every edge.
  const std::size_t label_every = r.latency.size() / 14 + 1;
  for (std::size_t i = 0; i < r.latency.size(); ++i) {
    const auto& b = r.latency[i];
    const double x = f.left + step * static_cast<double>(i);
    const double winners_y = f.y(share(b.winners, r.winners.count), most);
    const double losers_y = f.y(share(b.losers, r.losers.count), most);
    const std::string range = fmt::format("{} to {}", short_duration(b.from_us), short_duration(b.to_us));
    out += bar("sold", x + step * 0.1, winners_y, step * 0.38, f.floor() - winners_y,
               fmt::format("{}: {} of {} winners", range, grouped(b.winners), grouped(r.winners.count)));
    out += bar("refused", x + step * 0.52, losers_y, step * 0.38, f.floor() - losers_y,
               fmt::format("{}: {} of {} losers", range, grouped(b.losers), grouped(r.losers.count)));
    if (i % label_every == 0) {
      out += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)", x,
                         f.floor() + 18, short_duration(b.from_us)) +
             "\n";
    }
  }
  return out + axis_title(f, "from sending to the answer, logarithmic") + "</svg>\n";
}

}  // namespace troupe::flash_sale::html
