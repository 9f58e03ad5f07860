#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "http_front/auth/base64url.hpp"
#include "http_front/boot_error.hpp"
#include "test/integration/http/fixture.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;
using namespace troupe::http;
using namespace troupe::http::test;

namespace {

const signing_key forge_key{"k1", {1, 2, 3}};

std::string encoded(std::string_view text) {
  std::string out;
  append_base64url(out, text);
  return out;
}

/// A token with any header and claims, signed with the server's own key: what the checks after the signature
/// see.
std::string forged(std::string_view header, std::string_view claims) {
  std::string token = encoded(header) + "." + encoded(claims);
  unsigned char mac[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), forge_key.secret.data(), static_cast<int>(forge_key.secret.size()),
       reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac, &size);
  return token + "." + encoded({reinterpret_cast<const char*>(mac), size});
}

constexpr std::string_view good_header = R"({"typ":"JWT","alg":"HS256","kid":"k1"})";

std::string claims(std::string_view change_from = {}, std::string_view change_to = {}) {
  std::string text =
      R"({"iss":"troupe","aud":"troupe","sub":"0192d1c0-7a3b-7cde-8f01-23456789abcd","sid":"s","jti":"j",)"
      R"("iat":1000,"exp":9999999999,"roles":["user"]})";
  if (!change_from.empty()) text.replace(text.find(change_from), change_from.size(), change_to);
  return text;
}

std::string bearer(const std::string& token) { return "Authorization: Bearer " + token + "\r\n"; }

}  // namespace

TEST_CASE("auth: a good token names the caller, the same connection may change it") {
  http_fixture f;
  auto c = f.connect();
  for (int i = 0; i < 3; ++i) CHECK(c.ask(get("/api/v1/toys/best", bearer(f.token()))).status == 200);
  CHECK(f.runtime.last().body == user_text);
  CHECK(c.ask(get("/api/v1/toys/best", bearer(f.token()))).header("cache-control") == "no-store");
  const auto other = forged(good_header, claims("0192d1c0", "0192d1c1"));
  CHECK(c.ask(get("/api/v1/toys/best", bearer(other))).status == 200);
  CHECK(f.runtime.last().body == "0192d1c1-7a3b-7cde-8f01-23456789abcd");
  CHECK(c.ask(get("/api/v1/toys/best")).status == 401);
  CHECK(c.ask(get("/api/v1/toys/best", "Authorization: bEARER " + other + "\r\n")).status == 200);
}

TEST_CASE("auth: without a token 401, without the role 403") {
  http_fixture f;
  auto c = f.connect();
  auto got = c.ask(get("/api/v1/toys/best"));
  CHECK(got.status == 401);
  CHECK(got.problem() == "unauthenticated");
  CHECK(got.header("www-authenticate") == "Bearer");
  const std::string del = "DELETE /api/v1/toys/a HTTP/1.1\r\nHost: t\r\n";
  got = c.ask(del + bearer(f.token()) + "\r\n");
  CHECK(got.status == 403);
  CHECK(got.problem() == "forbidden");
  got = c.ask(del + bearer(f.token({"user", "admin"})) + "\r\n");
  CHECK(got.status == 204);
  CHECK(got.header("content-length").empty());
  CHECK(f.runtime.last().body == "admin");
}

TEST_CASE("auth: no token but ours is taken") {
  struct row {
    std::string name;
    std::string token;
  };
  http_fixture f;
  const auto good = f.token();
  auto flipped = good;
  flipped[flipped.rfind('.') + 5] = flipped[flipped.rfind('.') + 5] == 'A' ? 'B' : 'A';
  const std::string far = "\"iat\":" + std::to_string(f.clock.wall().ms / 1000 + 3600);
  const std::vector<row> rows{
      {"empty", ""},
      {"not a token", "hello"},
      {"two parts", "a.b"},
      {"four parts", good + ".x"},
      {"another signature", flipped},
      {"no signature", good.substr(0, good.rfind('.') + 1)},
      {"bad base64", good + "!"},
      {"padding", good + "="},
      {"too long", std::string(5000, 'a') + ".b.c"},
      {"alg none", forged(R"({"alg":"none","kid":"k1"})", claims())},
      {"alg none, unsigned", encoded(R"({"alg":"none","kid":"k1"})") + "." + encoded(claims()) + "."},
      {"alg HS512", forged(R"({"alg":"HS512","kid":"k1"})", claims())},
      {"alg RS256", forged(R"({"alg":"RS256","kid":"k1"})", claims())},
      {"alg in lower case", forged(R"({"alg":"hs256","kid":"k1"})", claims())},
      {"critical header", forged(R"({"alg":"HS256","kid":"k1","crit":["x"],"x":1})", claims())},
      {"unknown key", forged(R"({"alg":"HS256","kid":"k2"})", claims())},
      {"no key", forged(R"({"alg":"HS256"})", claims())},
      {"header is no object", forged("[]", claims())},
      {"claims are no JSON", forged(good_header, "{")},
      {"expired", forged(good_header, claims("9999999999", "2000"))},
      {"no end", forged(good_header, claims(R"("exp":9999999999,)", ""))},
      {"an end as text", forged(good_header, claims("9999999999", "\"9999999999\""))},
      {"an end past all time", forged(good_header, claims("9999999999", "99999999999999"))},
      {"from the future", forged(good_header, claims("\"iat\":1000", far))},
      {"not yet valid", forged(good_header, claims("\"iat\":1000", "\"iat\":1000,\"nbf\":9999999998"))},
      {"a start as text", forged(good_header, claims("\"iat\":1000", "\"iat\":1000,\"nbf\":\"x\""))},
      {"another issuer", forged(good_header, claims(R"("iss":"troupe")", R"("iss":"other")"))},
      {"another audience", forged(good_header, claims(R"("aud":"troupe")", R"("aud":"other")"))},
      {"subject is no UUID", forged(good_header, claims("0192d1c0-7a3b-7cde-8f01-23456789abcd", "bob"))},
      {"nil subject", forged(good_header, claims("0192d1c0-7a3b-7cde-8f01-23456789abcd",
                                                 "00000000-0000-0000-0000-000000000000"))},
      {"roles are no list", forged(good_header, claims(R"(["user"])", R"("admin")"))},
  };
  CHECK(f.ask(get("/api/v1/toys/best", bearer(forged(good_header, claims())))).status == 200);
  auto c = f.connect();
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto got = c.ask(get("/api/v1/toys/best", bearer(row.token)));
    CHECK(got.status == 401);
    CHECK(got.problem() == "invalid-token");
    CHECK(got.header("www-authenticate") == R"(Bearer error="invalid_token")");
  }
  CHECK(f.runtime.seen_count() == 1);
}

TEST_CASE("auth: a token that was good ends with its time, also on the connection that knows it") {
  http_fixture f;
  auto c = f.connect();
  const auto request = get("/api/v1/toys/best", bearer(f.token()));  // good for a minute
  CHECK(c.ask(request).status == 200);
  f.clock.shift_ms = 50'000;
  CHECK(c.ask(request).status == 200);
  f.clock.shift_ms = 61'000;
  CHECK(c.ask(request).problem() == "invalid-token");
}

TEST_CASE("auth: times of a token are exact to the second, with a minute's skew for its issue") {
  token_signer signer{std::make_shared<signing_keys>(std::vector{forge_key})};
  const timestamp now{1'700'000'000'000};
  const auto token = signer.mint({*parse_uuid(user_text), "s", "j", now, {now.ms + 1000}, {}});
  access_claims got;
  CHECK(signer.verify(token, now, got) == token_fault::none);
  CHECK(got.session == "s");
  CHECK(signer.verify(token, {now.ms + 999}, got) == token_fault::none);
  CHECK(signer.verify(token, {now.ms + 1000}, got) == token_fault::expired);
  CHECK(signer.verify(token, {now.ms - 60'000}, got) == token_fault::none);
  CHECK(signer.verify(token, {now.ms - 60'001}, got) == token_fault::not_yet);
}

TEST_CASE("auth: anyone may call an open route with an old token, as nobody") {
  http_fixture f;
  CHECK(f.ask(get("/api/v1/toys/bear", bearer("expired"))).status == 200);
  CHECK(f.runtime.last().body == "nobody");
  CHECK(f.ask(get("/api/v1/toys/bear", bearer(f.token()))).status == 200);
  CHECK(f.runtime.last().body == user_text);
}

TEST_CASE("auth: compat routes exist only with compat, and compat only on loopback") {
  const std::string reset = "POST /toys/a/reset HTTP/1.1\r\nHost: localhost\r\n\r\n";
  CHECK(http_fixture{}.ask(reset).status == 404);
  server_options options;
  options.compat = true;
  http_fixture f{options};
  CHECK(f.ask(reset).status == 204);
  CHECK(f.runtime.last().body == "admin");
  options.address = "0.0.0.0";
  CHECK_THROWS_AS(http_fixture{options}, boot_error);
  options.compat_beyond_loopback = true;
  CHECK_NOTHROW(http_fixture{options});
}

TEST_CASE("auth: compat routes are for those who call this machine by its loopback name") {
  server_options options;
  options.compat = true;
  const auto reset = [](const http_fixture& f, const std::string& host) {
    return f.ask("POST /toys/a/reset HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  };
  http_fixture f{options};
  for (const auto* host : {"localhost", "LocalHost:8080", "127.0.0.1", "127.0.0.1:8080", "127.1.2.3", "[::1]",
                           "[::1]:8080", "localhost:"}) {
    CAPTURE(host);
    CHECK(reset(f, host).status == 204);
  }
  for (const auto* host :
       {"", "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example",
        "localhost:80:80", "128.0.0.1", "[::2]", "[::1].evil", "0.0.0.0", "127.1"}) {
    CAPTURE(host);
    const auto got = reset(f, host);
    CHECK(got.status == 421);
    CHECK(got.problem() == "misdirected-request");
  }
  CHECK(f.ask("POST /toys/a/reset HTTP/1.0\r\n\r\n").status == 204);
  CHECK(f.ask(get("/api/v1/toys/a", "X-A: a\r\n")).status == 200);
  options.compat_beyond_loopback = true;
  CHECK(reset(http_fixture{options}, "backend.example").status == 204);
}

TEST_CASE("base64url: reads what was written, and nothing that is almost right") {
  for (std::size_t size = 0; size < 70; ++size) {
    CAPTURE(size);
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i * 37 + size * 101));
    std::string back;
    CHECK(read_base64url(encoded(bytes), back));
    CHECK(back == bytes);
  }
  std::string out;
  for (const auto* bad : {"A", "AAAAA", "AA==", "AB", "AAB", "A+AA", "A/AA", "AA A", "AA\n", "\xc3\xa4"}) {
    CAPTURE(std::string{bad});
    CHECK(!read_base64url(bad, out));
  }
}

TEST_CASE("keys: made once, private, and read again") {
  const troupe::test::temporary_directory directory;
  const std::filesystem::path folder{directory.path()};
  const auto file = folder / "keys.json";
  const auto made = load_or_create_keys(file);
  const auto again = load_or_create_keys(file);
  CHECK(made.current().kid == again.current().kid);
  CHECK(made.current().secret == again.current().secret);
  struct stat about {};
  REQUIRE(::stat(file.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  CHECK(std::distance(std::filesystem::directory_iterator{folder}, {}) == 1);

  ::chmod(file.c_str(), 0640);
  CHECK_THROWS_AS(load_or_create_keys(file), boot_error);
  ::chmod(file.c_str(), 0600);
  for (const auto* text : {"", "{", "{}", R"({"keys":[]})", R"({"keys":[{"kid":"a","secret":"c2hvcnQ"}]})"}) {
    CAPTURE(text);
    std::ofstream{file} << text;
    CHECK_THROWS_AS(load_or_create_keys(file), boot_error);
  }
  CHECK_THROWS_AS(load_or_create_keys(folder / "no" / "such"), boot_error);
}

TEST_CASE("keys: an old key still verifies, the first one signs") {
  const signing_key old_key{"old", {9}};
  const signing_key new_key{"new", {8}};
  token_signer before{std::make_shared<signing_keys>(std::vector{old_key})};
  token_signer after{std::make_shared<signing_keys>(std::vector{new_key, old_key})};
  token_signer later{std::make_shared<signing_keys>(std::vector{new_key})};
  const timestamp now{1'700'000'000'000};
  const access_claims who{*parse_uuid(user_text), "s", "j", now, {now.ms + 1000}, {"admin"}};
  access_claims got;
  CHECK(after.verify(before.mint(who), now, got) == token_fault::none);
  CHECK(got.to_principal().is_admin);
  CHECK(later.verify(after.mint(who), now, got) == token_fault::none);
  CHECK(later.verify(before.mint(who), now, got) == token_fault::unknown_key);
  CHECK_THROWS_AS(signing_keys({old_key, old_key}), boot_error);
}
