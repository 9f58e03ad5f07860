#include <doctest/doctest.h>
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include "test/integration/http/fixture.hpp"

using namespace troupe;
using namespace troupe::http;
using namespace troupe::http::test;

namespace {

constexpr std::string_view json = "Content-Type: application/json\r\n";
constexpr std::string_view toy = R"({"name":"a","count":1})";

/// A request whose body is announced and does not come.
std::string head_of(std::string_view method, std::string_view path, std::string_view headers,
                    std::size_t body_bytes) {
  std::string out{method};
  out.append(" ").append(path).append(" HTTP/1.1\r\nHost: t\r\n").append(headers);
  return out + "Content-Length: " + std::to_string(body_bytes) + "\r\n\r\n";
}

std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

std::string long_toy(std::size_t bytes) {
  return R"({"name":")" + std::string(bytes, 'x') + R"(","count":1})";
}

/// Whether the bodies that are being received come to that much memory, now or soon.
bool await_held(const http_fixture& f, std::size_t bytes) {
  const auto held = [&] {
    for (const auto& family : f.web->metrics()->Collect()) {
      if (family.name == "http_request_body_bytes")
        return static_cast<std::size_t>(family.metric.front().gauge.value);
    }
    return ~std::size_t{0};
  };
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  while (held() != bytes) {
    if (std::chrono::steady_clock::now() > end) return false;
    f.ask(get("/health"));  // its loop goes round meanwhile
  }
  return true;
}

}  // namespace

TEST_CASE("early answers: what a head cannot have is told before its body comes") {
  http_fixture f;
  const auto user = bearer(f.token());
  const auto admin = bearer(f.token({"user", "admin"}));
  const std::string text = "Content-Type: text/plain\r\n";
  const std::string jsons{json};
  struct row {
    std::string head;
    int status;
    std::string_view problem;
  };
  const std::vector<row> rows{
      {head_of("POST", "/api/v1/toys/a", json, 100), 401, "unauthenticated"},
      {head_of("POST", "/api/v1/toys/a", jsons + bearer("x.y.z"), 100), 401, "invalid-token"},
      {head_of("DELETE", "/api/v1/toys/a", jsons + user, 2), 403, "forbidden"},
      {head_of("POST", "/nowhere", jsons + user, 100), 404, "not-found"},
      {head_of("PATCH", "/api/v1/toys/a", jsons + user, 100), 405, "method-not-allowed"},
      {head_of("POST", "/api/v1/toys/a", jsons + user, 100), 400, "idempotency-key-missing"},
      {head_of("PUT", "/api/v1/toys/a", text, 100), 415, "unsupported-media-type"},
      {head_of("PUT", "/api/v1/toys/a?a=%", json, 100), 400, "malformed-request"},
      {head_of("GET", "/api/v1/toys/a", json, 1025), 413, "body-too-large"},
      {head_of("DELETE", "/api/v1/toys/a", jsons + admin, 200'000), 413, "body-too-large"},
      {head_of("PUT", "/api/v1/toys/a", json, 300'000), 413, "body-too-large"},
      {head_of("GET", "/health", "", 200'000), 200, ""},
  };
  for (const auto& row : rows) {
    CAPTURE(row.head);
    auto c = f.connect();
    c.send(row.head + "{");
    const auto got = c.receive();
    REQUIRE(got.has_value());
    CHECK(got->status == row.status);
    CHECK(got->problem() == row.problem);
    CHECK(got->header("connection") == "close");
    // The rest is read and dropped: a reset would take the answer from a client that sends before it reads.
    for (int i = 0; i < 3; ++i) CHECK(c.send(std::string(30, ' ')));
    c.end_sending();
    CHECK(c.ends());
  }
  CHECK(f.runtime.seen_count() == 0);
}

TEST_CASE("early answers: chunks of a body that may not come are not waited for") {
  http_fixture f;
  auto c = f.connect();
  c.send("POST /api/v1/toys/a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(c.receive()->problem() == "unauthenticated");
  auto pointless = f.connect();
  pointless.send("GET /api/v1/toys/a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 4 && pointless.send("200\r\n" + std::string(512, ' ') + "\r\n"); ++i) {
  }
  CHECK(pointless.receive()->problem() == "body-too-large");
}

TEST_CASE("early answers: 100-continue is for those who may go on") {
  http_fixture f;
  auto c = f.connect();
  c.send(head_of("POST", "/api/v1/toys/a", std::string{json} + "Expect: 100-continue\r\n", 22));
  CHECK(c.receive()->status == 401);
  CHECK(c.ends());
}

TEST_CASE("early answers: who was let in by the head stays so until the body is there") {
  http_fixture f;
  auto c = f.connect();
  const auto body = long_toy(30'000);  // the read buffer moves while it comes
  c.send(head_of("PUT", "/api/v1/toys/a?x=1",
                 bearer(f.token()) + "Expect: 100-continue\r\nX-Request-Id: r1\r\n" + std::string{json},
                 body.size()));
  CHECK(c.receive()->status == 100);
  f.clock.shift_ms = 61'000;  // past the end of the token
  const auto got = c.ask(body);
  CHECK(got.status == 200);
  CHECK(got.header("x-request-id") == "r1");
  CHECK(got.header("cache-control") == "no-store");
  CHECK(f.runtime.last().target.key == "a");
  CHECK(c.ask(get("/api/v1/toys/best", bearer(f.token()))).status == 200);
}

TEST_CASE("early answers: a body that stops coming is 408 with the path of its request") {
  http_fixture f{hasty()};
  auto c = f.connect();
  c.send(head_of("PUT", "/api/v1/toys/a", json, 50'000) + long_toy(10'000));
  const auto got = c.receive();
  REQUIRE(got.has_value());
  CHECK(got->problem() == "request-timeout");
  CHECK(got->body.find(R"("instance":"/api/v1/toys/a")") != std::string::npos);
}

TEST_CASE("bodies: all that are being received have one bound together") {
  server_options options;
  options.threads = 1;
  options.body_bytes_total_max = 1024 * 1024;
  http_fixture f{options};
  const auto body = long_toy(200'000);
  const auto request = with_body("PUT", "/api/v1/toys/a", json, body);
  const auto most = std::string_view{request}.substr(0, request.size() - 10);
  // Five have room, one more has not.
  std::vector<std::unique_ptr<client>> waiting;
  for (std::size_t i = 1; i <= 5; ++i) {
    waiting.push_back(std::make_unique<client>(f.web->port()));
    waiting.back()->send(most);
    REQUIRE(await_held(f, i * body.size()));
  }
  auto late = f.connect();
  late.send(most);
  const auto refused = late.receive();
  REQUIRE(refused.has_value());
  CHECK(refused->status == 503);
  CHECK(refused->problem() == "overloaded");
  CHECK(refused->header("retry-after") == "1");
  CHECK(refused->header("connection") == "close");
  // A small body arrives whole and holds nothing.
  CHECK(f.ask(with_body("PUT", "/api/v1/toys/b", json, toy)).status == 200);
  // What ends, in whichever way, makes room.
  waiting.back()->reset();
  waiting.pop_back();
  for (auto& one : waiting) CHECK(one->ask(std::string_view{request}.substr(most.size())).status == 200);
  REQUIRE(await_held(f, 0));
  for (int i = 0; i < 20; ++i) CHECK(f.ask(request).status == 200);
}
