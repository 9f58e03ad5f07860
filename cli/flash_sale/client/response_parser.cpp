#include "cli/flash_sale/client/response_parser.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::client {
namespace {

constexpr std::string_view head_end = "\r\n\r\n";

bool same_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

bool has_no_body(int status) { return status / 100 == 1 || status == 204 || status == 304; }

}  // namespace

void response_parser::reset() {
  message_ = {};
  head_.clear();
  body_bytes_left_ = 0;
  in_body_ = false;
  has_length_ = false;
}

parse_progress response_parser::feed(std::string_view& bytes) {
  while (!in_body_) {
    if (bytes.empty()) return parse_progress::need_more;
    // The end of the head may lie across two reads, so the search starts up to three bytes before the new
    // ones.
    const std::size_t known = head_.size();
    head_.append(bytes.substr(0, head_bytes_max - known + 1));
    const std::size_t end = head_.find(head_end, known < 3 ? 0 : known - 3);
    if (end == std::string::npos) {
      bytes.remove_prefix(bytes.size());
      return head_.size() > head_bytes_max ? parse_progress::malformed : parse_progress::need_more;
    }
    bytes.remove_prefix(end + head_end.size() - known);
    head_.resize(end + 2);
    if (!read_head(head_)) return parse_progress::malformed;
    if (message_.status / 100 == 1) {  // an interim response: the real one follows
      reset();
      continue;
    }
    if (!has_length_ && !has_no_body(message_.status)) return parse_progress::malformed;
    if (has_no_body(message_.status)) body_bytes_left_ = 0;
    in_body_ = true;
    message_.body.reserve(body_bytes_left_);
  }
  return take_body(bytes);
}

parse_progress response_parser::take_body(std::string_view& bytes) {
  const std::size_t taken = std::min(bytes.size(), body_bytes_left_);
  message_.body.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  body_bytes_left_ -= taken;
  return body_bytes_left_ == 0 ? parse_progress::complete : parse_progress::need_more;
}

bool response_parser::read_head(std::string_view head) {
  std::size_t line_end = head.find("\r\n");
  const std::string_view first = head.substr(0, line_end);
  if (first.size() < 12 || !first.starts_with("HTTP/1.") || first[8] != ' ') return false;
  if (!read_number(first.substr(9, 3), message_.status) || message_.status < 100) return false;
  message_.is_keep_alive = first[7] == '1';
  while (line_end + 2 < head.size()) {
    head.remove_prefix(line_end + 2);
    line_end = head.find("\r\n");
    if (!read_header_line(head.substr(0, line_end))) return false;
  }
  return true;
}

bool response_parser::read_header_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (same_letters(name, "content-length")) {
    if (!read_number(value, body_bytes_left_) || body_bytes_left_ > body_bytes_max) return false;
    has_length_ = true;
  } else if (same_letters(name, "transfer-encoding")) {
    return false;
  } else if (same_letters(name, "connection")) {
    if (same_letters(value, "close")) message_.is_keep_alive = false;
    if (same_letters(value, "keep-alive")) message_.is_keep_alive = true;
  } else if (same_letters(name, "retry-after")) {
    std::int64_t seconds = 0;
    if (read_number(value, seconds)) message_.retry_after_s = seconds;
  } else if (same_letters(name, "idempotent-replayed")) {
    message_.is_replayed = same_letters(value, "true");
  }
  return true;
}

}  // namespace troupe::client
