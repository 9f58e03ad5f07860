#include "runtime/base/time.hpp"

#include <cstdlib>
#include <iterator>

namespace troupe {
namespace {

bool digits(std::string_view text, std::size_t at, std::size_t count, int& value) {
  if (at + count > text.size()) return false;
  value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  return true;
}

/// Reads ".123456" at `at`, leaving `at` behind it; no fraction is zero milliseconds.
bool fraction_ms(std::string_view text, std::size_t& at, int& ms) {
  ms = 0;
  if (at >= text.size() || text[at] != '.') return true;
  int scale = 100;
  const std::size_t first = ++at;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
    ms += (text[at] - '0') * scale;
  return at > first && at - first <= 9;
}

/// Reads "Z" or "+hh:mm" to the end of the text.
bool offset_minutes(std::string_view text, std::size_t at, int& minutes) {
  minutes = 0;
  if (at >= text.size()) return false;
  if (text[at] == 'Z' || text[at] == 'z') return at + 1 == text.size();
  int hh = 0;
  int mm = 0;
  if ((text[at] != '+' && text[at] != '-') || at + 6 != text.size() || text[at + 3] != ':') return false;
  if (!digits(text, at + 1, 2, hh) || !digits(text, at + 4, 2, mm) || hh > 23 || mm > 59) return false;
  minutes = (hh * 60 + mm) * (text[at] == '-' ? -1 : 1);
  return true;
}

/// At least that many digits. Every order and task carries times, and snprintf took 2 % of an order.
void append_digits(std::string& out, int value, int digits_min) {
  char text[16];
  auto* at = std::end(text);
  auto rest = std::abs(value);
  for (int written = 0; written < digits_min || rest > 0; ++written, rest /= 10)
    *--at = static_cast<char>('0' + rest % 10);
  if (value < 0) *--at = '-';
  out.append(at, std::end(text));
}

}  // namespace

void append_to(std::string& out, timestamp at) {
  using namespace std::chrono;
  const sys_time<milliseconds> point{milliseconds{at.ms}};
  const auto day = floor<days>(point);
  const year_month_day date{day};
  const hh_mm_ss time{point - day};
  append_digits(out, static_cast<int>(date.year()), 4);
  out += '-';
  append_digits(out, static_cast<int>(static_cast<unsigned>(date.month())), 2);
  out += '-';
  append_digits(out, static_cast<int>(static_cast<unsigned>(date.day())), 2);
  out += 'T';
  append_digits(out, static_cast<int>(time.hours().count()), 2);
  out += ':';
  append_digits(out, static_cast<int>(time.minutes().count()), 2);
  out += ':';
  append_digits(out, static_cast<int>(time.seconds().count()), 2);
  out += '.';
  append_digits(out, static_cast<int>(time.subseconds().count()), 3);
  out += 'Z';
}

std::string to_rfc3339(timestamp at) {
  std::string out;
  append_to(out, at);
  return out;
}

std::optional<timestamp> parse_rfc3339(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, offset = 0;
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
  if (!digits(text, 0, 4, year) || !digits(text, 5, 2, month) || !digits(text, 8, 2, day))
    return std::nullopt;
  if (!digits(text, 11, 2, hour) || !digits(text, 14, 2, minute) || !digits(text, 17, 2, second))
    return std::nullopt;
  std::size_t at = 19;
  if (!fraction_ms(text, at, ms) || !offset_minutes(text, at, offset)) return std::nullopt;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                            std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok() || year < 1970 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto point =
      sys_days{date} + hours{hour} + minutes{minute - offset} + seconds{second} + milliseconds{ms};
  const auto since_epoch = duration_cast<milliseconds>(point.time_since_epoch()).count();
  constexpr std::int64_t year_10000_ms = 253'402'300'800'000;  // an offset may lead there
  if (since_epoch < 0 || since_epoch >= year_10000_ms) return std::nullopt;
  return timestamp{since_epoch};
}

}  // namespace troupe
