#include <doctest/doctest.h>

#include "cli/flash_sale/ledger.hpp"

using namespace troupe;
using namespace troupe::flash_sale;

namespace {

constexpr const char* receipt = R"({"orderId":"a","sku":"s","quantity":2,"status":"confirmed","arrival":17})";

client::response answer(int status, std::string body) {
  client::response r;
  r.status = status;
  r.body = std::move(body);
  return r;
}

std::string problem(const char* slug) { return std::string(R"({"type":"/problems/)") + slug + R"("})"; }

/// One buyer's story.
struct story {
  sale_ledger ledger{1};
  story() { ledger.sent(0, microseconds{100}); }
  story& gets(client::response r) {
    ledger.answered(0, microseconds{500}, std::move(r));
    return *this;
  }
  story& loses() {
    ledger.lost(0, "connection broken");
    ledger.sent(0, microseconds{200});
    return *this;
  }
  outcome end() const { return ledger.outcomes().front(); }
};

}  // namespace

TEST_CASE("ledger: a receipt is an order, timed from the first attempt") {
  const auto o = story().loses().gets(answer(201, receipt)).end();
  CHECK(o.decided == verdict::ordered);
  CHECK(o.order_id == "a");
  CHECK(o.arrival == 17);
  CHECK(o.quantity == 2);
  CHECK(o.attempts == 2);
  CHECK(o.latency() == microseconds{400});
}

TEST_CASE("ledger: a receipt without what the checks need decides nothing") {
  CHECK(story().gets(answer(201, R"({"orderId":"a"})")).end().decided == verdict::unknown);
  CHECK(story().gets(answer(201, "{")).end().decided == verdict::unknown);
  CHECK(story().gets(answer(201, R"({"orderId":"a","arrival":-1,"quantity":1})")).end().decided ==
        verdict::unknown);
}

TEST_CASE("ledger: the SKU's refusal is final, also after a lost answer") {
  const auto o = story().loses().gets(answer(409, problem("sold-out"))).end();
  CHECK(o.decided == verdict::refused);
  CHECK(o.reason == "sold-out");
}

TEST_CASE("ledger: a refusal by a gate is final only when no earlier attempt may have gone through") {
  CHECK(story().gets(answer(429, problem("rate-limited"))).end().decided == verdict::refused);
  CHECK(story().gets(answer(401, "")).end().reason == "status-401");
  CHECK(story().loses().gets(answer(429, problem("rate-limited"))).end().decided == verdict::unknown);
  CHECK(story().loses().gets(answer(401, problem("expired"))).end().decided == verdict::unknown);
}

TEST_CASE("ledger: an unknown outcome is never reported as a refusal") {
  CHECK(story().end().decided == verdict::unknown);
  CHECK(story().loses().end().decided == verdict::unknown);
  for (const int status : {408, 500, 502, 503, 504}) {
    CAPTURE(status);
    CHECK(story().gets(answer(status, problem("x"))).end().decided == verdict::unknown);
    CHECK(weigh(answer(status, "")) == answer_weight::may_be_repeated);
  }
  CHECK(story().gets(answer(409, problem("request-in-progress"))).end().decided == verdict::unknown);
}

TEST_CASE("ledger: silence is the longest time between two answers, counted from the start gun") {
  sale_ledger ledger(3);
  for (std::size_t i = 0; i < 3; ++i) ledger.sent(i, microseconds{0});
  ledger.answered(0, microseconds{100}, answer(201, receipt));
  ledger.answered(1, microseconds{900}, answer(201, receipt));
  ledger.answered(2, microseconds{950}, answer(201, receipt));
  CHECK(ledger.longest_silence().from == microseconds{100});
  CHECK(ledger.longest_silence().length == microseconds{800});
  CHECK(ledger.settled_count() == 3);
}
