#include <doctest/doctest.h>
#include <prometheus/collectable.h>

#include <atomic>

#include "http_front/boot_error.hpp"
#include "http_front/ops/ops_server.hpp"
#include "http_front/router/route_table.hpp"
#include "test/integration/http/fixture.hpp"

using namespace troupe;
using namespace troupe::http;
using namespace troupe::http::test;

TEST_CASE("ops: health, readiness, stats and metrics on a port of its own") {
  http_fixture f;
  CHECK(f.ask(get("/api/v1/toys/bear")).status == 200);
  CHECK(f.ask(get("/nowhere")).status == 404);
  std::atomic<bool> is_draining{false};
  ops_sources sources;
  sources.clock = &f.clock;
  sources.not_ready = [&] {
    return is_draining ? std::vector<std::string>{"draining"} : std::vector<std::string>{};
  };
  sources.health = [] { return std::vector<health_check>{{"store", ""}, {"authority", ""}}; };
  sources.database = [] { return std::vector<health_check>{{"store", "fsync is slow"}}; };
  sources.stats = [] { return std::string{R"({"entities":5})"}; };
  sources.metrics = {f.web->metrics()};
  ops_server ops{{.port = 0}, sources};
  const auto ask = [&](std::string_view path) { return client{ops.port()}.ask(get(path)); };

  CHECK(ask("/livez").status == 200);
  CHECK(ask("/readyz").body == R"({"status":"ready","reasons":[]})");
  is_draining = true;
  CHECK(ask("/readyz").status == 503);
  CHECK(ask("/readyz").body == R"({"status":"not ready","reasons":["draining"]})");
  CHECK(ask("/health").status == 200);
  const auto database = ask("/health/database");
  CHECK(database.status == 503);
  CHECK(database.body.find(R"("store":"fsync is slow")") != std::string::npos);
  CHECK(ask("/health/services").status == 200);
  CHECK(ask("/health/redis").status == 404);
  CHECK(ask("/health/redis").problem() == "no-redis");
  const auto traced = client{ops.port()}.ask(
      get("/health/redis", "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"));
  CHECK(traced.body.find(R"("traceId":"4bf92f3577b34da6a3ce929d0e0e4736")") != std::string::npos);
  CHECK(ask("/elsewhere").body.find(R"("traceId":")") != std::string::npos);
  CHECK(ask("/elsewhere").body != ask("/elsewhere").body);
  CHECK(ask("/stats").body == R"({"entities":5})");
  CHECK(ask("/elsewhere").problem() == "not-found");
  for (const std::string method : {"POST", "DELETE", "PUT"}) {
    const auto written =
        client{ops.port()}.ask(method + " /stats HTTP/1.1\r\nHost: t\r\n" + "Content-Length: 0\r\n\r\n");
    CHECK(written.status == 405);
    CHECK(written.header("allow") == "GET, HEAD");
    CHECK(written.problem() == "method-not-allowed");
  }

  const auto metrics = ask("/metrics");
  CHECK(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
  const auto has = [&](std::string_view line) { return metrics.body.find(line) != std::string::npos; };
  CHECK(has(R"(http_request_duration_seconds_count{method="GET",route="/api/v1/toys/{id}",status="200"} 1)"));
  CHECK(has(R"x(http_request_duration_seconds_count{method="-",route="(none)",status="404"} 1)x"));
  CHECK(has("http_requests_in_flight 0"));
  CHECK(has("http_rejected_connections_total 0"));
  CHECK(has("# TYPE http_connections gauge"));
}

TEST_CASE("ops: a taken port is a boot error, for both servers") {
  http_fixture f;
  ops_sources sources;
  sources.clock = &f.clock;
  CHECK_THROWS_AS((ops_server{{.port = f.web->port()}, sources}), boot_error);
  const ops_server first{{.port = 0}, sources};
  CHECK_THROWS_AS((ops_server{{.port = first.port()}, sources}), boot_error);
  server_parts parts;
  parts.make_port = [&](std::function<void()> wake) {
    return std::make_unique<fake_port>(f.runtime, std::move(wake));
  };
  parts.keys = f.keys;
  parts.clock = &f.clock;
  CHECK_THROWS_AS((server{{.port = f.web->port()}, std::move(parts)}), boot_error);
}

TEST_CASE("routes: duplicates and malformed templates are refused at boot") {
  const auto with = [](std::string_view path) {
    auto blocks = toy_blocks();
    auto extra = blocks.front().routes.front();
    extra.path = path;
    blocks.front().routes.push_back(extra);
    return blocks;
  };
  const auto compat = route_table::compat_routes::absent;
  for (const auto* bad : {"/api/v1/toys/{id}", "/api/v1/toys/{other}", "/health", "", "/", "no-slash",
                          "/a//b", "/a/", "/a/{}", "/a/x{id}", "/a%20b"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS((route_table{with(bad), compat}), boot_error);
  }
  const auto blocks = with("/api/v1/toys/{id}/parts/{part}");
  const route_table table{blocks, compat};
  std::vector<std::pair<std::string_view, std::string>> params;
  const auto found = table.find(verb::get, "/api/v1/toys/best/parts/9", params);
  CHECK(found.what == route_table::outcome::found);
  REQUIRE(params.size() == 2);
  CHECK(params[0].first == "id");
  CHECK(params[0].second == "best");
  CHECK(params[1].second == "9");
}
