#include "http_front/policy/trace.hpp"

#include <algorithm>

namespace troupe::http {
namespace {

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool all_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

/// version-traceid-parentid-flags; a later version may have more after another dash (W3C Trace
/// Context, 3.2.2).
bool is_traceparent(std::string_view text) {
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const auto version = text.substr(0, 2);
  if (!is_lower_hex(version) || version == "ff") return false;
  if (version == "00" ? text.size() != 55 : text.size() > 55 && text[55] != '-') return false;
  const auto trace = text.substr(3, 32);
  const auto parent = text.substr(36, 16);
  return is_lower_hex(trace) && !all_zero(trace) && is_lower_hex(parent) && !all_zero(parent) &&
         is_lower_hex(text.substr(53, 2));
}

}  // namespace

void trace_context::begin(std::string_view traceparent, id_source& ids) {
  if (is_traceparent(traceparent)) {
    std::copy_n(traceparent.data() + 3, hex_.size(), hex_.data());
    return;
  }
  constexpr char digits[] = "0123456789abcdef";
  for (std::size_t half = 0; half < 2; ++half) {
    auto bits = ids.next() | 1;  // never all zero
    for (std::size_t i = 0; i < 16; ++i, bits >>= 4) hex_[half * 16 + i] = digits[bits & 15];
  }
}

std::string_view accepted_request_id(std::string_view text) {
  const bool good = text.size() <= 128 &&
                    std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  return good ? text : std::string_view{};
}

}  // namespace troupe::http
