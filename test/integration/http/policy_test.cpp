#include <doctest/doctest.h>

#include "test/integration/http/fixture.hpp"

using namespace troupe;
using namespace troupe::http;
using namespace troupe::http::test;

namespace {

constexpr std::string_view toy = R"({"name":"a","count":1})";
constexpr std::string_view json = "Content-Type: application/json\r\n";

std::string put(std::string_view headers, std::string_view body = toy,
                std::string_view path = "/api/v1/toys/a") {
  return with_body("PUT", path, std::string{json} + std::string{headers}, body);
}

verdict says(reply_status status) { return {false, {status, {}, 0, false}}; }

}  // namespace

TEST_CASE("idempotency: the key is required where the route says so, and its form is checked") {
  http_fixture f;
  auto c = f.connect();
  const auto headers = std::string{json} + "Authorization: Bearer " + f.token() + "\r\n";
  const auto post = [&](const std::string& key) {
    return c.ask(with_body("POST", "/api/v1/toys/a", headers + key, toy));
  };
  CHECK(post("").problem() == "idempotency-key-missing");
  CHECK(post("Idempotency-Key: \r\n").problem() == "idempotency-key-malformed");
  CHECK(post("Idempotency-Key: a b\r\n").problem() == "idempotency-key-malformed");
  CHECK(post("Idempotency-Key: \xc3\xa4\r\n").problem() == "idempotency-key-malformed");
  CHECK(post("Idempotency-Key: " + std::string(256, 'k') + "\r\n").problem() == "idempotency-key-malformed");
  CHECK(f.runtime.seen_count() == 0);
  CHECK(post("Idempotency-Key: " + std::string(255, 'k') + "\r\n").status == 201);
  CHECK_FALSE(f.runtime.last().id.is_nil());
}

TEST_CASE("idempotency: principal, key and entity name the command, the rest is its fingerprint") {
  http_fixture f;
  auto c = f.connect();
  const auto ask = [&](const std::string& request) {
    CHECK(c.ask(request).status == 200);
    return f.runtime.last();
  };
  const auto first = ask(put("Idempotency-Key: k1\r\n"));
  const auto same = ask(put("Idempotency-Key: k1\r\n"));
  CHECK(first.id == same.id);
  CHECK(first.fingerprint == same.fingerprint);
  CHECK(ask(put("Idempotency-Key: k2\r\n")).id != first.id);
  CHECK(ask(put("Idempotency-Key: k1\r\nAuthorization: Bearer " + f.token() + "\r\n")).id != first.id);
  const auto other_body = ask(put("Idempotency-Key: k1\r\n", R"({"name":"b","count":1})"));
  CHECK(other_body.id == first.id);
  CHECK(other_body.fingerprint != first.fingerprint);
  // Both may be in one shard, which must not make it a reuse of the key.
  CHECK(ask(put("Idempotency-Key: k1\r\n", toy, "/api/v1/toys/b")).id != first.id);
  CHECK(ask(put("Idempotency-Key: k1\r\n", toy, "/api/v1/toys/a?x=1")).fingerprint != first.fingerprint);
  CHECK(ask(put("")).id.is_nil());
}

TEST_CASE("idempotency: a stored reply is marked as one") {
  http_fixture f;
  f.runtime.decide = [](const command&) {
    return verdict{false, {reply_status::ok, encode(toy_view{"a", 1}), 2, true}};
  };
  CHECK(f.ask(put("Idempotency-Key: k\r\n")).header("idempotent-replayed") == "true");
}

TEST_CASE("versions: who wants the entity's version gets it, with refusals too, unless even that is hidden") {
  http_fixture f;
  auto c = f.connect();
  const auto wanted = [&](reply what) {
    f.runtime.decide = [what](const command&) { return verdict{false, what}; };
    return c.ask(get("/api/v1/toys/a", "X-Want-Version: 1\r\n")).header("x-entity-version");
  };
  const auto refusal = [](std::uint16_t code) { return encode(rejection{code, {}, {}}); };
  CHECK(wanted({reply_status::ok, encode(toy_view{"a", 1}), 7, false}) == "7");
  CHECK(wanted({reply_status::rejected, refusal(2), 8, false}) == "8");
  CHECK(wanted({reply_status::rejected, refusal(3), 9, false}).empty());
  CHECK(c.ask(get("/api/v1/toys/a")).header("x-entity-version").empty());
}

TEST_CASE("versions: If-None-Match, If-Match and their odd forms") {
  http_fixture f;
  auto c = f.connect();
  const auto read = [&](std::string_view tags) {
    return c.ask(get("/api/v1/toys/a", "If-None-Match: " + std::string{tags} + "\r\n"));
  };
  const auto same = read("\"7\"");
  CHECK(same.status == 304);
  CHECK(same.body.empty());
  CHECK(same.header("etag") == "\"7\"");
  CHECK(read("W/\"7\"").status == 304);
  CHECK(read("\"3\", \"7\"").status == 304);
  CHECK(read("*").status == 304);
  CHECK(read("\"8\"").status == 200);
  CHECK(read("7").status == 200);
  CHECK(c.ask(put("If-Match: \"7\"\r\n")).status == 200);
  CHECK(f.runtime.last().expect_version == 7);
  CHECK(c.ask(put("")).status == 200);
  CHECK(f.runtime.last().expect_version == version_condition{});
}

TEST_CASE("versions: what a change expects is for the entity to check") {
  http_fixture f;
  auto c = f.connect();
  const auto expected = [&](std::string_view header) {
    CHECK(c.ask(put(std::string{header} + "\r\n")).status == 200);
    return f.runtime.last().expect_version;
  };
  CHECK(expected("If-Match: *") == version_condition::exists());
  CHECK(expected("If-Match: W/\"7\"") == version_condition::never());
  CHECK(expected("If-Match: \"abc\"") == version_condition::never());
  CHECK(expected("If-None-Match: *") == version_condition::absent());
  CHECK(expected("If-None-Match: \"7\"") == version_condition::other_than(7));
  CHECK(expected("If-None-Match: W/\"7\"") == version_condition::other_than(7));
  CHECK(expected("If-None-Match: \"abc\"") == version_condition{});
  const auto seen = f.runtime.seen_count();
  CHECK(c.ask(put("If-Match: \"7\", \"8\"\r\n")).problem() == "malformed-request");
  CHECK(c.ask(put("If-None-Match: \"7\", \"8\"\r\n")).problem() == "malformed-request");
  CHECK(c.ask(put("If-None-Match: *\r\nIf-Match: *\r\n")).problem() == "malformed-request");
  CHECK(f.runtime.seen_count() == seen);
}

TEST_CASE("versions: a change of what has none is not made when it is to match one") {
  http_fixture f;
  auto c = f.connect();
  const auto drop = [&](std::string_view header) {
    return c.ask("DELETE /api/v1/toys/a HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer " +
                 f.token({"user", "admin"}) + "\r\n" + std::string{header} + "\r\n");
  };
  const auto seen = f.runtime.seen_count();
  for (const auto* tag : {"*", "\"7\"", "\"abc\"", "\"7\", \"8\""}) {
    CAPTURE(tag);
    const auto refused = drop("If-Match: " + std::string{tag} + "\r\n");
    CHECK(refused.status == 412);
    CHECK(refused.problem() == "precondition-failed");
  }
  CHECK(f.runtime.seen_count() == seen);
  CHECK(drop("If-None-Match: \"7\"\r\n").status == 204);
  CHECK(c.ask(get("/api/v1/toys/a/parts", "If-Match: \"7\"\r\n")).status == 200);
}

TEST_CASE("versions: one that is not there goes before a refusal, but not before `not found`") {
  http_fixture f;
  auto c = f.connect();
  const auto ask = [&](toy_refusal why, std::string_view header) {
    f.runtime.decide = [&](const command&) {
      const rejection refused{static_cast<std::uint16_t>(why), {}, {}};
      return verdict{false, {reply_status::rejected, encode(refused), 3, false}};
    };
    return c.ask(put(header)).problem();
  };
  CHECK(ask(toy_refusal::sold_out, "If-Match: \"7\"\r\n") == "precondition-failed");
  CHECK(ask(toy_refusal::sold_out, "If-None-Match: *\r\n") == "precondition-failed");
  CHECK(ask(toy_refusal::sold_out, "If-Match: \"3\"\r\n") == "toy-sold-out");
  CHECK(ask(toy_refusal::sold_out, "") == "toy-sold-out");
  for (const auto* tag : {"*", "\"3\"", "\"7\"", "\"abc\"", "W/\"3\""}) {
    CAPTURE(tag);
    CHECK(ask(toy_refusal::no_such_toy, "If-Match: " + std::string{tag} + "\r\n") == "toy-not-found");
  }
}

TEST_CASE("versions: a PUT that left the first version has created") {
  http_fixture f;
  auto c = f.connect();
  CHECK(c.ask(put("")).status == 200);
  f.runtime.decide = [](const command&) {
    return verdict{false, {reply_status::ok, encode(toy_view{"a", 1}), 1, false}};
  };
  const auto made = c.ask(put(""));
  CHECK(made.status == 201);
  CHECK(made.header("etag") == "\"1\"");
  CHECK(c.ask(get("/api/v1/toys/a")).status == 200);
}

TEST_CASE("trace: a valid traceparent is taken over, anything else begins a new trace") {
  http_fixture f;
  auto c = f.connect();
  const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const auto trace_of = [&](const std::string& value) {
    const auto got = c.ask(get("/nowhere", "traceparent: " + value + "\r\n"));
    const auto at = got.body.find("\"traceId\":\"");
    REQUIRE(at != std::string::npos);
    return got.body.substr(at + 11, 32);
  };
  CHECK(trace_of("00-" + trace + "-00f067aa0ba902b7-01") == trace);
  CHECK(trace_of("01-" + trace + "-00f067aa0ba902b7-01-more") == trace);
  for (const auto* bad : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                          "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                          "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                          "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"}) {
    CAPTURE(bad);
    CHECK(trace_of(bad) != trace);
  }
}

TEST_CASE("trace: X-Request-Id is echoed when it is harmless") {
  http_fixture f;
  auto c = f.connect();
  const auto echo = [&](const std::string& value) {
    return c.ask(get("/api/v1/toys/a", "X-Request-Id: " + value + "\r\n")).header("x-request-id");
  };
  CHECK(echo("abc-1") == "abc-1");
  CHECK(echo(std::string(128, 'a')).size() == 128);
  CHECK(echo(std::string(129, 'a')).empty());
  CHECK(echo("a b").empty());
}

TEST_CASE("lists: the next page is a Link with the query's other values") {
  http_fixture f;
  auto c = f.connect();
  const auto got = c.ask(get("/api/v1/toys?limit=5&q=a%20b"));
  const std::string before = R"({"items":[{"name":"bear","count":1}],"nextCursor":")";
  REQUIRE(got.body.starts_with(before));
  const auto cursor = got.body.substr(before.size(), got.body.find('"', before.size()) - before.size());
  CHECK(got.header("link") == "</api/v1/toys?limit=5&q=a%20b&cursor=" + cursor + ">; rel=\"next\"");
  for (const auto& foreign : {"?cursor=" + cursor, "?q=c&cursor=" + cursor, "?q=a%20b&cursor=A" + cursor,
                              std::string{"?cursor=YmVhcg"}, std::string{"?cursor=%24"}}) {
    CAPTURE(foreign);
    const auto refused = c.ask(get("/api/v1/toys" + foreign));
    CHECK(refused.problem() == "invalid-cursor");
    CHECK(refused.body.find(R"("pointer":"?cursor")") != std::string::npos);
  }
  const auto last = c.ask(get("/api/v1/toys?q=a%20b&limit=9&cursor=" + cursor));
  CHECK(last.status == 200);
  CHECK(last.header("link").empty());
  CHECK(f.runtime.last().body == "bear");
  CHECK(c.ask(get("/api/v1/toys?limit=0")).problem() == "validation-failed");
  CHECK(c.ask(get("/api/v1/toys?limit=101")).problem() == "validation-failed");
}

TEST_CASE("created: 201 says where the new thing is, other answers do not") {
  http_fixture f;
  auto c = f.connect();
  const auto made = c.ask(put(""));
  CHECK(made.status == 200);
  CHECK(made.header("location").empty());
  const auto headers =
      std::string{json} + "Idempotency-Key: k\r\nAuthorization: Bearer " + f.token() + "\r\n";
  const auto posted = c.ask(with_body("POST", "/api/v1/toys/a", headers, toy));
  CHECK(posted.status == 201);
  CHECK(posted.header("location") == "/api/v1/toys/a");
}

TEST_CASE("versions: of what is no entity, the route says which") {
  http_fixture f;
  auto c = f.connect();
  f.runtime.decide = [](const command&) {
    return verdict{false, {reply_status::ok, encode(toy_view{"a", 4}), 99, false}};
  };
  const auto parts = std::string{"/api/v1/toys/a/parts"};
  const auto got = c.ask(get(parts));
  CHECK(got.header("etag") == "\"4\"");
  const auto same = c.ask(get(parts, "If-None-Match: \"4\"\r\n"));
  CHECK(same.status == 304);
  CHECK(same.body.empty());
  CHECK(same.header("etag") == "\"4\"");
  CHECK(c.ask(get(parts, "If-None-Match: \"99\"\r\n")).status == 200);
}

TEST_CASE("replies: every status of the runtime is one problem") {
  struct row {
    reply_status said;
    int status;
    std::string_view problem;
    std::string_view retry_after;
  };
  const row rows[] = {
      {reply_status::malformed, 500, "internal-error", ""},
      {reply_status::failed, 500, "internal-error", ""},
      {reply_status::version_mismatch, 412, "precondition-failed", ""},
      {reply_status::key_reused, 422, "idempotency-key-reused", ""},
      {reply_status::in_progress, 409, "request-in-progress", "1"},
      {reply_status::overloaded, 503, "overloaded", "1"},
      {reply_status::deadline_passed, 504, "deadline-passed", ""},
      {reply_status::unknown, 503, "outcome-unknown", "1"},
  };
  http_fixture f;
  auto c = f.connect();
  for (const auto& row : rows) {
    CAPTURE(row.problem);
    f.runtime.decide = [&](const command&) { return says(row.said); };
    const auto got = c.ask(get("/api/v1/toys/a"));
    CHECK(got.status == row.status);
    CHECK(got.problem() == row.problem);
    CHECK(got.header("retry-after") == row.retry_after);
    CHECK(got.body.find(R"("instance":"/api/v1/toys/a")") != std::string::npos);
  }
  f.runtime.decide = [&](const command&) { return says(reply_status::stopping); };
  const auto got = c.ask(get("/api/v1/toys/a"));
  CHECK(got.problem() == "stopping");
  CHECK(got.header("connection") == "close");
  CHECK(c.ends());
}

TEST_CASE("replies: a rejection is the kind's own problem, with its fields") {
  http_fixture f;
  f.runtime.decide = [](const command&) {
    const auto why = rejection{2, "opens tomorrow", {{"opensAt", "2026-01-31T09:30:00.000Z"}}};
    return verdict{false, {reply_status::rejected, encode(why), 0, false}};
  };
  const auto got = f.ask(get("/api/v1/toys/a"));
  CHECK(got.status == 409);
  CHECK(got.problem() == "toy-not-open");
  CHECK(got.body.find(R"("detail":"opens tomorrow")") != std::string::npos);
  CHECK(got.body.find(R"("opensAt":"2026-01-31T09:30:00.000Z")") != std::string::npos);
}

TEST_CASE("replies: a rejection without words has those of its type") {
  http_fixture f;
  f.runtime.decide = [](const command&) {
    return verdict{false, {reply_status::rejected, encode(rejection{1, {}, {}}), 0, false}};
  };
  CHECK(f.ask(get("/api/v1/toys/a")).body.find(R"("detail":"All toys have been sold.")") !=
        std::string::npos);
}

TEST_CASE("replies: a rejection that the kind does not know is an internal error") {
  http_fixture f;
  f.runtime.decide = [](const command&) {
    return verdict{false, {reply_status::rejected, encode(rejection{99, {}, {}}), 0, false}};
  };
  CHECK(f.ask(get("/api/v1/toys/a")).problem() == "internal-error");
}

TEST_CASE("deadlines: a command carries one, five seconds away") {
  http_fixture f;
  const auto before = std::chrono::steady_clock::now();
  CHECK(f.ask(get("/api/v1/toys/a")).status == 200);
  const auto left = f.runtime.last().deadline - before;
  CHECK(left >= std::chrono::seconds{5});
  CHECK(left < std::chrono::seconds{9});
}
