#include <doctest/doctest.h>

#include <latch>

#include "test/integration/http/fixture.hpp"

using namespace troupe;
using namespace troupe::http;
using namespace troupe::http::test;

TEST_CASE("http: a connection that says nothing is closed") {
  http_fixture f{hasty()};
  auto silent = f.connect();
  CHECK(silent.ends());
  auto idle = f.connect();
  CHECK(idle.ask(get("/health")).status == 200);
  CHECK(idle.ends());
}

TEST_CASE("http: a head that does not come to its end is 408") {
  http_fixture f{hasty()};
  auto c = f.connect();
  c.send("GET /health HTTP/1.1\r\nHost: t\r\nX-Slow: ");
  const auto got = c.receive();
  REQUIRE(got.has_value());
  CHECK(got->status == 408);
  CHECK(got->problem() == "request-timeout");
  CHECK(c.ends());
}

TEST_CASE("http: a head that trickles is 408 however lively it is") {
  http_fixture f{hasty()};
  auto c = f.connect();
  c.send("GET /health HTTP/1.1\r\nHost: t\r\nX-Slow: ");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  while (!c.has_reply_within(std::chrono::milliseconds{2}) && std::chrono::steady_clock::now() < end)
    c.send("x");
  CHECK(c.receive()->status == 408);
}

TEST_CASE("http: a body that does not come is 408") {
  http_fixture f{hasty()};
  auto c = f.connect();
  c.send(
      "PUT /api/v1/toys/a HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: "
      "100\r\n\r\n{\"na");
  CHECK(c.receive()->status == 408);
  CHECK(c.ends());
}

TEST_CASE("http: a client that never reads is cut off and costs a bounded amount") {
  http_fixture f{hasty()};
  client c{f.web->port(), 2048};
  const std::string batch = [] {
    std::string out;
    for (int i = 0; i < 50; ++i) out += get("/problems");
    return out;
  }();
  // It goes on asking until its own send buffer is full, then waits to be closed.
  std::size_t sent = 0;
  while (const auto n = c.send_some(batch)) sent += n;
  CHECK(sent > 0);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  bool is_cut = false;
  while (!is_cut && std::chrono::steady_clock::now() < end) is_cut = !c.send("\r\n");
  CHECK(is_cut);
}

TEST_CASE("http: a slow reader gets a long answer whole") {
  http_fixture f;
  f.runtime.decide = [](const command&) {
    return verdict{false, {reply_status::ok, encode(toy_view{std::string(3'000'000, 'x'), 1}), 1, false}};
  };
  client c{f.web->port(), 2048};
  c.send(get("/api/v1/toys/a") + get("/health"));
  const auto got = c.receive();
  REQUIRE(got.has_value());
  CHECK(got->body.size() == 3'000'000 + std::string_view{R"({"name":"","count":1})"}.size());
  CHECK(c.receive()->status == 200);
}

TEST_CASE("http: an answer that comes while an earlier one is still being sent is nobody else's") {
  // Just short of what is sent at once, so that it leaves when the next command is on its way, and at some
  // time does not fit into the socket.
  constexpr std::size_t long_bytes = 60'000;
  constexpr int pairs = 200;
  server_options options;
  options.threads = 1;  // so that both clients share a loop
  http_fixture f{options};
  f.runtime.decide = [&](const command& what) {
    const std::string name(what.target.key == "long" ? long_bytes : 1, 'x');
    return verdict{false, {reply_status::ok, encode(toy_view{name, 1}), 1, false}};
  };
  std::string batch;
  for (int i = 0; i < pairs; ++i)
    batch += get("/api/v1/toys/long") + get("/api/v1/toys/short", "X-Request-Id: slow\r\n");
  client slow{f.web->port(), 2048};
  REQUIRE(slow.send(batch));
  auto other = f.connect();
  for (int i = 0; i < 500; ++i) REQUIRE(other.ask(get("/health")).header("x-request-id") != "slow");
  for (int i = 0; i < pairs; ++i) {
    const auto first = slow.receive();
    const auto second = slow.receive();
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(first->body.size() > long_bytes);
    CHECK(second->header("x-request-id") == "slow");
  }
}

TEST_CASE("http: a client that has ended its side still gets its answers") {
  http_fixture f;
  auto c = f.connect();
  c.send(get("/api/v1/toys/a") + get("/health"));
  c.end_sending();
  CHECK(c.receive()->status == 200);
  CHECK(c.receive()->status == 200);
  CHECK(c.ends());
}

TEST_CASE("http: a client that resets while its command is at work harms nobody") {
  http_fixture f;
  f.runtime.decide = [](const command&) {
    return verdict{true, {reply_status::ok, encode(toy_view{"a", 1}), 1, false}};
  };
  {
    auto c = f.connect();
    c.send(get("/api/v1/toys/a"));
    REQUIRE(f.runtime.await_commands(1));
    c.reset();
  }
  f.runtime.release();
  CHECK(f.ask(get("/health")).status == 200);
}

TEST_CASE("http: connections past the limit are refused with 503, and there is room again after one ends") {
  server_options options;
  options.connections_max = 2;
  http_fixture f{options};
  auto first = std::make_unique<client>(f.web->port());
  auto second = f.connect();
  CHECK(first->ask(get("/health")).status == 200);
  CHECK(second.ask(get("/health")).status == 200);
  auto third = f.connect();
  const auto got = third.receive();
  REQUIRE(got.has_value());
  CHECK(got->status == 503);
  CHECK(got->problem() == "too-many-connections");
  CHECK(third.ends());
  CHECK(first->ask(get("/health", "Connection: close\r\n")).status == 200);
  CHECK(first->ends());
  first.reset();
  int status = 503;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{5};
  while (status == 503 && std::chrono::steady_clock::now() < end) {
    auto next = f.connect();
    next.send(get("/health"));
    const auto answer = next.receive();
    if (answer) status = answer->status;
  }
  CHECK(status == 200);
}

TEST_CASE("http: commands of one round go to the runtime in one flush") {
  server_options options;
  options.threads = 1;
  http_fixture f{options};
  std::vector<std::unique_ptr<client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<client>(f.web->port()));
    CHECK(clients.back()->ask(get("/health")).status == 200);
  }
  // While the loop is kept in its first flush, all the others' requests arrive.
  std::latch sent{1};
  f.runtime.decide = [&](const command&) {
    sent.wait();
    return verdict{false, {reply_status::ok, encode(toy_view{"a", 1}), 1, false}};
  };
  clients.front()->send(get("/api/v1/toys/a"));
  REQUIRE(f.runtime.await_flush());
  for (std::size_t i = 1; i < clients.size(); ++i) clients[i]->send(get("/api/v1/toys/a"));
  sent.count_down();
  for (auto& c : clients) CHECK(c->receive()->status == 200);
  CHECK(f.runtime.flushes == 2);
}
