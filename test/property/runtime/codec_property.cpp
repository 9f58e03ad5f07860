#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <boost/json/parse.hpp>
#include <tuple>

#include "actors/sku/messages.hpp"
#include "actors/task/messages.hpp"
#include "runtime/entity/json_read.hpp"
#include "runtime/entity/json_write.hpp"
#include "runtime/entity/route.hpp"
#include "runtime/entity/sort_key.hpp"

using namespace troupe;

namespace {

struct sample {
  bool flag = false;
  std::int64_t number = 0;
  std::uint64_t count = 0;
  timestamp at{};
  uuid id{};
  std::string text{};
  std::optional<std::int64_t> maybe{};
  std::vector<std::string> texts{};
  std::vector<caller> nested{};
  std::map<std::string, std::uint64_t> counts{};
  friend auto operator<=>(const sample&, const sample&) = default;
};
TROUPE_DESCRIBE(sample, flag, number, count, at, id, text, maybe, texts, nested, counts)

uuid any_uuid() {
  uuid id;
  for (auto& byte : id.bytes) byte = *rc::gen::arbitrary<std::uint8_t>();
  return id;
}

sample any_sample() {
  sample s;
  s.flag = *rc::gen::arbitrary<bool>();
  s.number = *rc::gen::arbitrary<std::int64_t>();
  s.count = *rc::gen::arbitrary<std::uint64_t>();
  s.at = {*rc::gen::arbitrary<std::int64_t>()};
  s.id = any_uuid();
  s.text = *rc::gen::arbitrary<std::string>();
  if (*rc::gen::arbitrary<bool>()) s.maybe = *rc::gen::arbitrary<std::int64_t>();
  s.texts = *rc::gen::arbitrary<std::vector<std::string>>();
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i)
    s.nested.push_back({any_uuid(), *rc::gen::arbitrary<bool>()});
  s.counts = *rc::gen::arbitrary<std::map<std::string, std::uint64_t>>();
  return s;
}

}  // namespace

TEST_CASE("codec: what is encoded decodes to itself, to the same bytes again") {
  CHECK(rc::check([] {
    const auto s = any_sample();
    sample back;
    RC_ASSERT(decode(encode(s), back));
    RC_ASSERT(back == s);
    RC_ASSERT(encode(back) == encode(s));
  }));
}

TEST_CASE("codec: garbage never does more than be refused") {
  CHECK(rc::check([] {
    const auto bytes = *rc::gen::arbitrary<std::string>();
    sample s;
    sku::define d;
    task::change c;
    rejection r;
    const bool any = decode(bytes, s) | decode(bytes, d) | decode(bytes, c) | decode(bytes, r);
    RC_CLASSIFY(any, "decodes as something");
  }));
}

TEST_CASE("codec: damaged bytes decode to something or are refused, and what decodes encodes again") {
  CHECK(rc::check([] {
    auto bytes = encode(any_sample());
    if (bytes.empty()) return;
    bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] =
        static_cast<char>(*rc::gen::arbitrary<std::uint8_t>());
    sample s;
    if (!decode(bytes, s)) return;
    sample again;
    RC_ASSERT(decode(encode(s), again));
    RC_ASSERT(again == s);
  }));
}

TEST_CASE("sort key: keys order as their values do") {
  CHECK(rc::check([](const std::string& a, const std::string& b, std::uint64_t x, std::uint64_t y) {
    RC_ASSERT((to_sort_key(a) < to_sort_key(b)) == (a < b));
    RC_ASSERT((to_sort_key(x) < to_sort_key(y)) == (x < y));
    const std::tuple left{a, x};
    const std::tuple right{b, y};
    RC_ASSERT((to_sort_key(left) < to_sort_key(right)) == (left < right));
    std::tuple<std::string, std::uint64_t> back;
    RC_ASSERT(from_sort_key(to_sort_key(left), back));
    RC_ASSERT(back == left);
  }));
}

TEST_CASE("cursor: any bytes survive the way through a client") {
  CHECK(rc::check([] {
    const auto bytes = *rc::gen::nonEmpty(rc::gen::string<std::string>());
    if (bytes.size() <= 300) RC_ASSERT(decode_cursor(encode_cursor(bytes)) == bytes);
  }));
}

TEST_CASE("json: any task that is written reads back") {
  CHECK(rc::check([] {
    task::task_view view;
    // Only the edge lets text in, and it is UTF-8 by then.
    view.title = *rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127));
    view.user_id = any_uuid();
    view.created_at = {*rc::gen::inRange<std::int64_t>(0, 253'402'300'799'999)};
    if (*rc::gen::arbitrary<bool>())
      view.due_at = timestamp{*rc::gen::inRange<std::int64_t>(0, 4'102'444'800'000)};
    view.status = static_cast<task::status>(*rc::gen::inRange(1, 5));
    view.version = *rc::gen::inRange<std::uint64_t>(0, 1ULL << 63);
    std::string text;
    write_json(text, view);
    task::task_view back;
    std::vector<field_error> errors;
    read_json(boost::json::parse(text), back, "", errors);
    RC_ASSERT(errors.empty());
    RC_ASSERT(back == view);
  }));
}
