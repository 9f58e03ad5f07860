#include <doctest/doctest.h>

#include <string>

#include "cli/flash_sale/client/endpoint.hpp"
#include "cli/flash_sale/client/response_parser.hpp"

using namespace troupe::client;

namespace {

constexpr std::string_view receipt =
    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\ncontent-length: 13\r\n"
    "Idempotent-Replayed: true\r\n\r\n{\"arrival\":7}";

/// What the parser says to the whole text, given at once.
parse_progress verdict_on(std::string_view text) {
  response_parser parser;
  return parser.feed(text);
}

}  // namespace

TEST_CASE("response parser: a response split at any two places is read the same") {
  for (std::size_t first = 0; first <= receipt.size(); ++first) {
    for (std::size_t second = first; second <= receipt.size(); ++second) {
      CAPTURE(first);
      CAPTURE(second);
      response_parser parser;
      auto progress = parse_progress::need_more;
      for (std::string_view part :
           {receipt.substr(0, first), receipt.substr(first, second - first), receipt.substr(second)}) {
        if (!part.empty()) progress = parser.feed(part);
        REQUIRE(part.empty());
      }
      REQUIRE(progress == parse_progress::complete);
      REQUIRE(parser.message().status == 201);
      REQUIRE(parser.message().body == R"({"arrival":7})");
      REQUIRE(parser.message().is_replayed);
      REQUIRE(parser.message().is_keep_alive);
    }
  }
}

TEST_CASE("response parser: bytes behind the response are left to the caller") {
  const std::string two = std::string(receipt) + "HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n{}";
  std::string_view bytes = two;
  response_parser parser;
  CHECK(parser.feed(bytes) == parse_progress::complete);
  parser.reset();
  CHECK_FALSE(parser.is_inside());
  CHECK(parser.feed(bytes) == parse_progress::complete);
  CHECK(parser.message().status == 409);
  CHECK(parser.message().body == "{}");
  CHECK(bytes.empty());
}

TEST_CASE("response parser: an interim response is passed over") {
  std::string_view bytes = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
  response_parser parser;
  CHECK(parser.feed(bytes) == parse_progress::complete);
  CHECK(parser.message().status == 204);
}

TEST_CASE("response parser: Retry-After and Connection are read") {
  std::string_view bytes =
      "HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n";
  response_parser parser;
  CHECK(parser.feed(bytes) == parse_progress::complete);
  CHECK(parser.message().retry_after_s == 3);
  CHECK_FALSE(parser.message().is_keep_alive);
}

TEST_CASE("response parser: what it does not understand is malformed") {
  CHECK(verdict_on("FTP/1.1 200 OK\r\n\r\n") == parse_progress::malformed);
  CHECK(verdict_on("HTTP/1.1 2x0 OK\r\n\r\n") == parse_progress::malformed);
  CHECK(verdict_on("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n") == parse_progress::malformed);
  CHECK(verdict_on("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n") == parse_progress::malformed);
  CHECK(verdict_on("HTTP/1.1 200 OK\r\nno colon\r\n\r\n") == parse_progress::malformed);
  CHECK(verdict_on("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") ==
        parse_progress::malformed);
  CHECK(verdict_on("HTTP/1.1 200 OK\r\n\r\n") == parse_progress::malformed);
  CHECK(verdict_on("HTTP/1.1 200 OK\r\nX: " + std::string(head_bytes_max, 'x')) == parse_progress::malformed);
}

TEST_CASE("request text: the bytes that go out") {
  const auto server = resolve("http://127.0.0.1:8080/");
  CHECK(request_text(server, "POST", "/x", {{"Idempotency-Key", "k"}}, "{}") ==
        "POST /x HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\n\r\n{}");
  CHECK(request_text(server, "GET", "/x", {}, "") == "GET /x HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n");
}

TEST_CASE("endpoint: addresses that cannot work are refused") {
  CHECK(resolve("http://[::1]:81").port == 81);
  CHECK(resolve("http://localhost").port == 80);
  CHECK_THROWS_AS(resolve("https://127.0.0.1"), environment_error);
  CHECK_THROWS_AS(resolve("127.0.0.1:80"), environment_error);
  CHECK_THROWS_AS(resolve("http://127.0.0.1:80x"), environment_error);
  CHECK_THROWS_AS(resolve("http://127.0.0.1:70000"), environment_error);
  CHECK_THROWS_AS(resolve("http://127.0.0.1/path"), environment_error);
}
