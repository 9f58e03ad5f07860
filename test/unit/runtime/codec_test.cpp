#include <doctest/doctest.h>

#include "runtime/entity/codec.hpp"
#include "runtime/entity/names.hpp"
#include "runtime/entity/rejection.hpp"

using namespace troupe;

// One struct through three releases of a program: fields are added, one is retired.
namespace {

enum class color : std::uint8_t { red = 1, green = 2 };
TROUPE_DESCRIBE_ENUM(color, red, green)

struct inner {
  std::int64_t a = 0;
  std::string b{};
  friend auto operator<=>(const inner&, const inner&) = default;
};
TROUPE_DESCRIBE(inner, a, b)

struct first_release {
  std::int64_t count = 0;
  std::string name{};
  friend auto operator<=>(const first_release&, const first_release&) = default;
};
TROUPE_DESCRIBE(first_release, count, name)

struct second_release {
  std::int64_t count = 0;
  std::string name{};
  color paint = color::green;
  std::optional<inner> more{};
  std::vector<inner> list{};
  friend auto operator<=>(const second_release&, const second_release&) = default;
};
TROUPE_DESCRIBE(second_release, count, name, paint, more, list)

struct third_release {
  std::int64_t count = 0;
  retired name{};
  color paint = color::green;
  std::optional<inner> more{};
  retired list{};
  std::uint64_t total = 7;
  friend auto operator<=>(const third_release&, const third_release&) = default;
};
TROUPE_DESCRIBE(third_release, count, name, paint, more, list, total)

struct every_shape {
  bool flag = false;
  std::uint8_t small = 0;
  std::int32_t number = 0;
  std::uint64_t big = 0;
  timestamp at{};
  uuid id{};
  std::string text{};
  std::optional<std::int64_t> maybe{};
  std::optional<std::string> maybe_text{};
  std::vector<std::string> texts{};
  std::map<std::string, std::int64_t> counts{};
  color paint = color::red;
  inner nested{};
  friend auto operator<=>(const every_shape&, const every_shape&) = default;
};
TROUPE_DESCRIBE(every_shape, flag, small, number, big, at, id, text, maybe, maybe_text, texts, counts, paint,
                nested)

every_shape full() {
  every_shape v;
  v.flag = true;
  v.small = 200;
  v.number = -5;
  v.big = ~std::uint64_t{0};
  v.at = {1'769'851'800'000};
  v.id = *parse_uuid("0190a000-0000-7000-8000-000000000001");
  v.text = std::string(200, 'x');
  v.maybe = 0;
  v.maybe_text = "";
  v.texts = {"", "a", std::string(300, 'y')};
  v.counts = {{"", 0}, {"a", -1}};
  v.paint = color::green;
  v.nested = {INT64_MIN, std::string("\0z", 2)};
  return v;
}

std::string bytes_of(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string{hex.substr(i, 2)}, nullptr, 16)));
  }
  return out;
}

}  // namespace

TEST_CASE("codec: the bytes of a struct are written down here, for they are on disk") {
  CHECK(encode(first_release{}) == "");
  CHECK(encode(first_release{3, "ab"}) == bytes_of("0206"
                                                   "05026162"));
  CHECK(encode(second_release{-1, "", color::red, inner{0, "x"}, {{1, ""}, {}}}) == bytes_of("0201"
                                                                                             "0601"
                                                                                             "0904"
                                                                                             "03050178"
                                                                                             "0b04"
                                                                                             "020202"
                                                                                             "00"));
}

TEST_CASE("codec: every shape of field reads back as it was") {
  every_shape back;
  REQUIRE(decode(encode(full()), back));
  CHECK(back == full());
  REQUIRE(decode(encode(every_shape{}), back = {}));
  CHECK(back == every_shape{});
}

TEST_CASE("codec: a row from before a field was added reads, with that field's default") {
  second_release now;
  REQUIRE(decode(bytes_of("020605026162"), now));
  CHECK(now == second_release{3, "ab", color::green, std::nullopt, {}});
}

TEST_CASE("codec: a row from before fields were retired reads, without them") {
  third_release now;
  REQUIRE(decode(encode(second_release{3, "ab", color::red, inner{4, "y"}, {{1, "z"}}}), now));
  CHECK(now == third_release{3, {}, color::red, inner{4, "y"}, {}, 7});
}

TEST_CASE("codec: a row of a later release reads, without what is not known yet") {
  first_release then;
  REQUIRE(decode(encode(second_release{3, "ab", color::red, inner{4, "y"}, {{1, "z"}}}), then));
  CHECK(then == first_release{3, "ab"});
  REQUIRE(decode(encode(third_release{3, {}, color::red, {}, {}, 8}), then = {}));
  CHECK(then == first_release{3, ""});
}

TEST_CASE("codec: a retired field encodes as nothing") {
  CHECK(encode(third_release{}) == "");
  CHECK(encode(third_release{1, {}, color::green, {}, {}, 8}) == bytes_of("0202"
                                                                          "0c08"));
}

TEST_CASE("codec: a field that changed its shape is skipped, not misread") {
  first_release v;
  REQUIRE(decode(bytes_of("0302aabb"  // field 1 as bytes
                          "0405"),    // field 2 as varint
                 v));
  CHECK(v == first_release{});
}

TEST_CASE("codec: bytes that end too soon are refused or are a shorter row, never more than was there") {
  const auto whole = encode(full());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    every_shape v;
    if (decode(std::string_view{whole}.substr(0, size), v)) {
      CHECK(v != full());
      CHECK(encode(v).size() <= size);
    } else {
      CHECK(size > 0);
    }
  }
}

TEST_CASE("codec: numbers that do not fit their field are refused") {
  every_shape v;
  CHECK_FALSE(decode(bytes_of("0202"), v));           // bool 2
  CHECK_FALSE(decode(bytes_of("048002"), v));         // uint8 256
  CHECK_FALSE(decode(bytes_of("0680808080100"), v));  // int32 beyond its range, cut
  CHECK_FALSE(decode(bytes_of("188102"), v));         // enum 257 is not 1
  CHECK_FALSE(decode(bytes_of("0d0100"), v));         // a uuid of one byte
}

TEST_CASE("codec: a length that lies is refused") {
  every_shape v;
  CHECK_FALSE(decode(bytes_of("0fffffffffffffffffff01"), v));
  CHECK_FALSE(decode(bytes_of("0f05616263"), v));
  CHECK_FALSE(decode(bytes_of("1b03020561"), v));  // nested: says 3, holds a field that says 5
}

TEST_CASE("codec: rejections and names, which cross every border, keep their bytes") {
  CHECK(encode(rejection{7, "why", {{"a", "b"}}}) == bytes_of("0207"
                                                              "0503776879"
                                                              "0707"
                                                              "06030161050162"));
  CHECK(encode(entity_ref{kind_id{1}, "k"}) == bytes_of("0201"
                                                        "05016b"));
  CHECK(encode(timer_id{{1}, 2}) == bytes_of("0202"
                                             "0402"));
}
