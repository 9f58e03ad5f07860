#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <optional>
#include <string_view>
#include <vector>

#include "http_front/net/request_head.hpp"
#include "http_front/problem/front_problems.hpp"

namespace troupe::http {

/// Beast's request parser without its container of fields: it keeps views of the few headers that are used,
/// so that a request without a body allocates nothing. Stricter than Beast where two readers of one request
/// could differ (RFC 9112, 11.2): folded lines, repeated single headers, any transfer coding but `chunked`.
class request_parser final : public boost::beast::http::basic_parser<true> {
 public:
  request_parser(std::uint32_t head_bytes_max, std::uint64_t body_bytes_max);

  request_head head;

  /// Where the bytes of the next put() lie.
  void reading_from(const char* first, const char* last) {
    first_ = first;
    last_ = last;
  }
  /// The bytes moved; so do all views.
  void rebase(const char* from, const char* to) {
    head.rebase(from, to);
    if (!whole_body_.empty()) whole_body_ = {to + (whole_body_.data() - from), whole_body_.size()};
  }
  std::string_view body() const {
    return whole_body_.empty() ? std::string_view{body_.data(), body_.size()} : whole_body_;
  }
  /// Memory that the body takes beside the read buffer.
  std::size_t body_bytes_held() const { return body_.capacity(); }
  /// Less than the constructor was told, for the chunks that are still to come.
  void lower_body_limit(std::size_t bytes_max) { body_bytes_max_ = bytes_max; }
  void drop_body();
  struct refusal {
    front_problem why;
    std::string_view detail;  // empty: what the problem means in general
  };
  /// Why put() failed, as what the client is told.
  refusal fault(const boost::system::error_code& error) const;

 private:
  using error_code = boost::beast::error_code;
  using view = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb method, view name, view target, int version,
                       error_code& ec) override;
  void on_response_impl(int, view, int, error_code&) override {}
  void on_field_impl(boost::beast::http::field field, view name, view value, error_code& ec) override;
  void on_header_impl(error_code& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code& ec) override;
  std::size_t on_body_impl(view bytes, error_code& ec) override;
  void on_chunk_header_impl(std::uint64_t, view, error_code& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, view bytes, error_code& ec) override;
  void on_finish_impl(error_code& ec) override { ec = {}; }

  bool is_folded(view name, view value) const;
  void refuse(front_problem why, error_code& ec, std::string_view detail = {});
  void append(view bytes, error_code& ec);

  const char* first_ = nullptr;
  const char* last_ = nullptr;
  bool head_done_ = false;
  std::optional<refusal> refused_;
  std::uint64_t length_ = 0;
  std::uint64_t body_bytes_max_;
  std::string_view whole_body_;  // when it came in one piece, where it lies in the read buffer
  std::vector<char> body_;       // otherwise
};

}  // namespace troupe::http
