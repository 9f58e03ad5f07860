#include <doctest/doctest.h>

#include <future>

#include "test/integration/http/fixture.hpp"

using namespace troupe;
using namespace troupe::http;
using namespace troupe::http::test;

namespace {

std::chrono::steady_clock::time_point in(std::chrono::milliseconds wait) {
  return std::chrono::steady_clock::now() + wait;
}

verdict hold(const command&) { return {true, {reply_status::ok, encode(toy_view{"a", 1}), 1, false}}; }

}  // namespace

TEST_CASE("drain: idle connections end, accepted requests are answered, new connections are refused") {
  http_fixture f;
  auto idle = f.connect();
  CHECK(idle.ask(get("/health")).status == 200);
  f.runtime.decide = hold;
  auto busy = f.connect();
  busy.send(get("/api/v1/toys/a"));
  REQUIRE(f.runtime.await_commands(1));

  auto drained = std::async(std::launch::async, [&] { return f.web->drain(in(std::chrono::seconds{5})); });
  CHECK(idle.ends());
  CHECK_THROWS(f.connect());
  f.runtime.release();
  const auto got = busy.receive();
  REQUIRE(got.has_value());
  CHECK(got->status == 200);
  CHECK(got->header("connection") == "close");
  CHECK(busy.ends());
  // The server waits for the client's own end, so that the answer is not lost to a reset.
  busy.end_sending();
  CHECK(drained.get());
}

TEST_CASE("drain: without connections it is done at once") {
  http_fixture f;
  CHECK(!f.web->is_draining());
  CHECK(f.web->drain(in(std::chrono::seconds{5})));
  CHECK(f.web->is_draining());
}

TEST_CASE("drain: at the deadline what is left is cut off") {
  http_fixture f;
  f.runtime.decide = hold;
  auto busy = f.connect();
  busy.send(get("/api/v1/toys/a"));
  REQUIRE(f.runtime.await_commands(1));
  CHECK(!f.web->drain(in(std::chrono::milliseconds{50})));
  CHECK(!busy.receive().has_value());
  f.runtime.release();
}
