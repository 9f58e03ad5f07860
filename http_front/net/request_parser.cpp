#include "http_front/net/request_parser.hpp"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>
#include <charconv>

namespace troupe::http {
namespace {

namespace beast_http = boost::beast::http;

std::optional<header> known(beast_http::field field, std::string_view name) {
  switch (field) {
    case beast_http::field::host:
      return header::host;
    case beast_http::field::authorization:
      return header::authorization;
    case beast_http::field::content_type:
      return header::content_type;
    case beast_http::field::content_encoding:
      return header::content_encoding;
    case beast_http::field::content_length:
      return header::content_length;
    case beast_http::field::transfer_encoding:
      return header::transfer_encoding;
    case beast_http::field::expect:
      return header::expect;
    case beast_http::field::if_match:
      return header::if_match;
    case beast_http::field::if_none_match:
      return header::if_none_match;
    case beast_http::field::unknown:
      break;
    default:
      return std::nullopt;
  }
  // Beast's table does not have these.
  if (name.size() == 15 && boost::beast::iequals(name, "idempotency-key")) return header::idempotency_key;
  if (name.size() == 11 && boost::beast::iequals(name, "traceparent")) return header::traceparent;
  if (name.size() == 12 && boost::beast::iequals(name, "x-request-id")) return header::x_request_id;
  if (name.size() == 14 && boost::beast::iequals(name, "x-want-version")) return header::x_want_version;
  return std::nullopt;
}

verb to_verb(beast_http::verb method) {
  switch (method) {
    case beast_http::verb::get:
      return verb::get;
    case beast_http::verb::head:
      return verb::head;
    case beast_http::verb::post:
      return verb::post;
    case beast_http::verb::put:
      return verb::put;
    case beast_http::verb::patch:
      return verb::patch;
    case beast_http::verb::delete_:
      return verb::del;
    case beast_http::verb::options:
      return verb::options;
    default:
      return verb::other;
  }
}

std::string_view twice_text(header which) {
  switch (which) {
    case header::host:
      return "the Host header is there twice";
    case header::authorization:
      return "the Authorization header is there twice";
    case header::content_length:
      return "the Content-Length header is there twice";
    case header::idempotency_key:
      return "the Idempotency-Key header is there twice";
    default:
      return "a header that may be there once is there twice";
  }
}

/// Empty where the problem's own meaning says as much.
std::string_view text_of(const boost::system::error_code& error) {
  if (error.category() != beast_http::make_error_code(beast_http::error::bad_field).category()) return {};
  switch (static_cast<beast_http::error>(error.value())) {
    case beast_http::error::bad_line_ending:
      return "a line does not end in CR LF";
    case beast_http::error::bad_method:
      return "the method is not a token";
    case beast_http::error::bad_target:
      return "the request target has bytes that may not be there";
    case beast_http::error::bad_version:
      return "the request line does not end in HTTP/1.1 or HTTP/1.0 and CR LF";
    case beast_http::error::bad_field:
      return "a header's name is not a token that a colon follows";
    case beast_http::error::bad_value:
      return "a header's value has bytes that may not be there, or its line does not end in CR LF";
    case beast_http::error::bad_content_length:
      return "Content-Length is not one number, or stands beside Transfer-Encoding";
    case beast_http::error::bad_transfer_encoding:
      return "Transfer-Encoding is not valid, or stands beside Content-Length";
    case beast_http::error::bad_chunk:
    case beast_http::error::bad_chunk_extension:
      return "a chunk of the body is not valid";
    default:
      return {};
  }
}

/// Whether the first line ends as `HTTP/2.0` does.
bool ends_in_version(std::string_view bytes) {
  const auto line = bytes.substr(0, bytes.find("\r\n"));
  if (line.size() < 8) return false;
  const auto version = line.substr(line.size() - 8);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return version.starts_with("HTTP/") && is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
}

}  // namespace

request_parser::request_parser(std::uint32_t head_bytes_max, std::uint64_t body_bytes_max)
    : body_bytes_max_(body_bytes_max) {
  header_limit(head_bytes_max);
  body_limit(body_bytes_max);
}

void request_parser::refuse(front_problem why, error_code& ec, std::string_view detail) {
  refused_ = refusal{why, detail};
  ec = beast_http::error::bad_field;
}

void request_parser::on_request_impl(beast_http::verb method, view, view target, int version,
                                     error_code& ec) {
  ec = {};
  head.method = to_verb(method);
  head.target = target;
  head.http_1_0 = version == 10;
}

void request_parser::on_field_impl(beast_http::field field, view name, view value, error_code& ec) {
  ec = {};
  if (head_done_) return;  // trailers of a chunked body mean nothing here
  if (is_folded(name, value))
    return refuse(front_problem::malformed_request, ec, "a header goes over several lines");
  const auto which = known(field, name);
  if (!which) return;
  const auto at = static_cast<std::size_t>(*which);
  if ((head.present & (1U << at)) != 0)
    return refuse(front_problem::malformed_request, ec, twice_text(*which));
  head.present = static_cast<std::uint16_t>(head.present | (1U << at));
  head.values[at] = value;
}

/// Beast puts a value of several lines together in a buffer of its own, and steps over a first line that is
/// empty.
bool request_parser::is_folded(view name, view value) const {
  if (value.data() < first_ || value.data() >= last_) return true;
  return std::find(name.data() + name.size(), value.data(), '\n') != value.data();
}

void request_parser::on_header_impl(error_code& ec) {
  ec = {};
  head_done_ = true;
  head.keep_alive = keep_alive();
  const auto length = head[header::content_length];
  if (!std::all_of(length.begin(), length.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return refuse(front_problem::malformed_request, ec, "Content-Length is not a number");
  }
  std::from_chars(length.data(), length.data() + length.size(), head.body_bytes);
  if (head.has(header::transfer_encoding)) {
    if (head.http_1_0)
      return refuse(front_problem::malformed_request, ec, "HTTP/1.0 has no Transfer-Encoding");
    if (!boost::beast::iequals(head[header::transfer_encoding], "chunked")) {
      return refuse(front_problem::transfer_coding_unsupported, ec);
    }
  }
  if (!head.http_1_0 && !head.has(header::host))
    return refuse(front_problem::malformed_request, ec, "HTTP/1.1 needs a Host header");
  if (head.has(header::expect) && !boost::beast::iequals(head[header::expect], "100-continue")) {
    return refuse(front_problem::expectation_failed, ec);
  }
}

void request_parser::on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) {
  ec = {};
  length_ = length.value_or(0);
}

std::size_t request_parser::on_body_impl(view bytes, error_code& ec) {
  ec = {};
  if (bytes.size() == length_) {
    whole_body_ = bytes;
  } else {
    append(bytes, ec);
  }
  return bytes.size();
}

/// Grows by doubling, but never past what the body can become.
void request_parser::append(view bytes, error_code& ec) {
  const auto size = body_.size() + bytes.size();
  if (size > body_bytes_max_) return refuse(front_problem::body_too_large, ec);
  if (size > body_.capacity()) {
    const auto most = length_ > 0 ? length_ : body_bytes_max_;
    body_.reserve(std::max<std::size_t>(size, std::min<std::uint64_t>(2 * size, most)));
  }
  body_.insert(body_.end(), bytes.begin(), bytes.end());
}

std::size_t request_parser::on_chunk_body_impl(std::uint64_t, view bytes, error_code& ec) {
  ec = {};
  append(bytes, ec);
  return bytes.size();
}

void request_parser::drop_body() {
  whole_body_ = {};
  body_ = {};
}

request_parser::refusal request_parser::fault(const boost::system::error_code& error) const {
  if (refused_) return *refused_;
  if (error == beast_http::error::header_limit) return {front_problem::headers_too_large, {}};
  if (error == beast_http::error::body_limit) return {front_problem::body_too_large, {}};
  // Beast says bad_version for anything that is wrong there, e.g. a line that ends in a bare LF.
  if (error == beast_http::error::bad_version && ends_in_version({first_, last_})) {
    return {front_problem::version_unsupported, {}};
  }
  return {front_problem::malformed_request, text_of(error)};
}

}  // namespace troupe::http
