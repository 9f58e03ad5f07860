#include <doctest/doctest.h>

#include "http_front/boot_error.hpp"
#include "http_front/problem/catalogue.hpp"
#include "http_front/problem/front_problems.hpp"
#include "test/integration/http/fixture.hpp"

using namespace troupe;
using namespace troupe::http;
using namespace troupe::http::test;

namespace {

std::string put(std::string_view body, std::string_view type = "application/json") {
  const auto headers = type.empty() ? std::string{} : "Content-Type: " + std::string{type} + "\r\n";
  return with_body("PUT", "/api/v1/toys/a", headers, body);
}

}  // namespace

TEST_CASE("bodies: what is not one JSON object in UTF-8 is refused") {
  const std::string deep_ok =
      R"({"name":"a","count":1,"x":)" + std::string(31, '[') + std::string(31, ']') + "}";
  const std::string too_deep =
      R"({"name":"a","count":1,"x":)" + std::string(40, '[') + std::string(40, ']') + "}";
  struct row {
    std::string body;
    int status;
    std::string_view problem;
    std::string_view says;
  };
  const std::vector<row> rows{
      {"", 400, "invalid-json", "the body is empty"},
      {" \r\n\t ", 400, "invalid-json", "the body is empty"},
      {"{", 400, "invalid-json", "the body ends inside its JSON value"},
      {"nonsense", 400, "invalid-json", "the body is not valid JSON in UTF-8"},
      {"[]", 400, "invalid-json", "the body must be a JSON object"},
      {"\"text\"", 400, "invalid-json", "the body must be a JSON object"},
      {R"({"name":"a","count":1} x)", 400, "invalid-json", "the body goes on after its JSON value"},
      {R"({"name":"a","count":1}{})", 400, "invalid-json", "the body goes on after its JSON value"},
      {R"({"name":"a","count":1,})", 400, "invalid-json", "the body is not valid JSON in UTF-8"},
      {R"({"name":"a","count":1/**/})", 400, "invalid-json", "the body is not valid JSON in UTF-8"},
      {"{\"name\":\"\xff\xfe\",\"count\":1}", 400, "invalid-json", "the body is not valid JSON in UTF-8"},
      {"{\"name\":\"\xed\xa0\x80\",\"count\":1}", 400, "invalid-json", "the body is not valid JSON in UTF-8"},
      {R"({"name":"\ud800","count":1})", 400, "invalid-json", "the body is not valid JSON in UTF-8"},
      {R"({"name":"a","count":1,"name":"b"})", 400, "invalid-json", "the body names a member twice"},
      {too_deep, 400, "invalid-json", "the body is nested deeper than 32"},
      {deep_ok, 400, "validation-failed", R"({"pointer":"/x","detail":"is not a known field"})"},
      {R"({"name":"a"})", 400, "validation-failed", R"({"pointer":"/count","detail":"is required"})"},
      {R"({"name":1,"count":1})", 400, "validation-failed",
       R"({"pointer":"/name","detail":"must be a string"})"},
      {R"({"name":"a","count":1,"more":2})", 400, "validation-failed", R"({"pointer":"/more",)"},
      {R"({"name":"a","count":1.5})", 400, "validation-failed", R"({"pointer":"/count",)"},
      {R"({"name":"a","count":99999999999999999999999999})", 400, "validation-failed",
       R"({"pointer":"/count",)"},
      {R"({"name":"a","count":1e400})", 400, "", R"(")"},
      {R"({"name":"a","count":-1})", 400, "validation-failed",
       R"({"pointer":"/count","detail":"must not be negative"})"},
      {R"({"name":"a:\"b\":","count":1})", 200, "", "a"},
      {"{\"name\":\"\xf0\x9f\xa7\xb8\",\"count\":-0}", 200, "", "a"},
  };
  http_fixture f;
  auto c = f.connect();
  for (const auto& row : rows) {
    CAPTURE(row.body);
    const auto got = c.ask(put(row.body));
    CHECK(got.status == row.status);
    if (!row.problem.empty()) CHECK(got.problem() == row.problem);
    CAPTURE(got.body);
    CHECK(got.body.find(row.says) != std::string::npos);
  }
}

TEST_CASE("bodies: the media type must be JSON in UTF-8, uncompressed") {
  http_fixture f;
  auto c = f.connect();
  const std::string_view toy = R"({"name":"a","count":1})";
  for (const auto* good : {"application/json", "Application/JSON", "application/json; charset=utf-8",
                           "application/json;charset=\"UTF-8\"", "application/json; profile=x"}) {
    CAPTURE(good);
    CHECK(c.ask(put(toy, good)).status == 200);
  }
  for (const auto* bad : {"", "text/plain", "application/xml", "application/jsonx",
                          "application/json; charset=latin1", "application/json\r\nContent-Encoding: gzip"}) {
    CAPTURE(bad);
    CHECK(c.ask(put(toy, bad)).problem() == "unsupported-media-type");
  }
}

TEST_CASE("bodies: a route that takes none refuses one that says something") {
  http_fixture f;
  auto c = f.connect();
  const auto drop = [&](std::string_view body, std::string_view type = "application/json") {
    return c.ask(with_body("DELETE", "/api/v1/toys/a",
                           "Authorization: Bearer " + f.token({"user", "admin"}) +
                               "\r\nContent-Type: " + std::string{type} + "\r\n",
                           body));
  };
  CHECK(drop("{\"junk").problem() == "invalid-json");
  CHECK(drop("<a/>", "text/xml").problem() == "unsupported-media-type");
  CHECK(drop(R"({"really":true})").problem() == "malformed-request");
  CHECK(drop("{}").status == 204);
}

TEST_CASE("problems: a flood of wrong fields gets a short answer") {
  http_fixture f;
  std::string body = R"({"name":"a","count":1)";
  for (int i = 0; i < 5000; ++i) body += ",\"f" + std::to_string(i) + "\":1";
  const auto answer = f.ask(put(body + "}"));
  CHECK(answer.problem() == "validation-failed");
  CHECK(answer.body.size() < 5000);
}

TEST_CASE("targets: paths are decoded, and what cannot be is refused") {
  http_fixture f;
  auto c = f.connect();
  CHECK(c.ask(get("/api/v1/toys/a%20b%2Fc")).status == 200);
  CHECK(f.runtime.last().target.key == "a b/c");
  CHECK(c.ask(get("/api/v1/toys/%C3%A4")).status == 200);
  CHECK(f.runtime.last().target.key == "\xc3\xa4");
  CHECK(c.ask(get("/api/v1/%74oys/x")).status == 200);
  CHECK(c.ask(get("http://test/api/v1/toys/x")).status == 200);
  for (const auto* bad :
       {"/api/v1/toys/%", "/api/v1/toys/%2", "/api/v1/toys/%zz", "/api/v1/toys/%00", "/api/v1/toys/%ff",
        "/api/v1/toys/%c0%af", "/api/v1/toys?a=%", "/api/v1/toys?a=%80", "*"}) {
    CAPTURE(bad);
    CHECK(c.ask(get(bad)).status == 400);
  }
  std::string many = "/api/v1/toys?a=1";
  for (int i = 0; i < 40; ++i) many += "&a=1";
  CHECK(c.ask(get(many)).status == 400);
  for (const auto* none : {"/", "//", "/api/v1/toys/", "/api/v1/toys/a/b", "/api/v1//toys", "/api",
                           "/api/v1/toys/a/b/c/d/e/f/g/h/i/j/k/l/m/n"}) {
    CAPTURE(none);
    CHECK(c.ask(get(none)).status == 404);
  }
}

TEST_CASE("problems: a binder can refuse, and a throwing one costs only its request") {
  http_fixture f;
  auto c = f.connect();
  const auto got = c.ask(get("/api/v1/toys/never"));
  CHECK(got.status == 404);
  CHECK(got.problem() == "toy-not-found");
  CHECK(got.body.find("it was never made") != std::string::npos);
  CHECK(c.ask(get("/api/v1/toys/throws")).problem() == "internal-error");
  CHECK(c.ask(get("/api/v1/toys/bear")).status == 200);
}

TEST_CASE("problems: the catalogue names every type, the front's and the kinds'") {
  http_fixture f;
  auto c = f.connect();
  const auto all = c.ask(get("/problems"));
  CHECK(all.status == 200);
  for (const auto& one : all_front_problems()) {
    CAPTURE(one.kind.slug);
    CHECK(all.body.find("\"/problems/" + std::string{one.kind.slug} + "\"") != std::string::npos);
    CHECK(c.ask(get("/problems/" + std::string{one.kind.slug})).status == 200);
  }
  CHECK(
      c.ask(get("/problems/toy-sold-out")).body ==
      R"({"type":"/problems/toy-sold-out","title":"Sold out","status":409,"meaning":"All toys have been sold."})");
  CHECK(c.ask(get("/problems/nothing")).problem() == "not-found");
}

TEST_CASE("problems: one type has one status and one title, or the server does not start") {
  auto blocks = toy_blocks();
  CHECK_NOTHROW(problem_catalogue{blocks});
  blocks.front().problem_of = [](std::uint16_t) { return problem_kind{404, "not-found", "Elsewhere", {}}; };
  CHECK_THROWS_AS(problem_catalogue{blocks}, boot_error);
  blocks.front().problem_of = [](std::uint16_t) { return problem_kind{410, "not-found", "Not found", {}}; };
  CHECK_THROWS_AS(problem_catalogue{blocks}, boot_error);
}

TEST_CASE("pages: health and stats, with and without the prefix") {
  http_fixture f;
  auto c = f.connect();
  for (const auto* path : {"/health", "/api/v1/health"}) {
    const auto got = c.ask(get(path));
    CHECK(got.status == 200);
    CHECK(got.body.starts_with(R"({"status":"healthy","service":"troupe","timestamp":")"));
    CHECK(got.body.ends_with(R"("checks":{"store":"healthy"}})"));
  }
  CHECK(c.ask(get("/stats")).body == R"({"entities":5})");
  CHECK(c.ask(get("/api/v1/stats")).body == R"({"entities":5})");
}
