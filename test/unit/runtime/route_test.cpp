#include <doctest/doctest.h>

#include "runtime/entity/route.hpp"

using namespace troupe;

namespace {

struct item {
  std::string name{};
  friend bool operator==(const item&, const item&) = default;
};
TROUPE_DESCRIBE(item, name)

struct item_page {
  std::vector<item> items{};
  std::optional<std::string> next_cursor{};
};
TROUPE_DESCRIBE(item_page, items, next_cursor)

}  // namespace

TEST_CASE("cursor: any bytes become a word of the base64url alphabet, and read back") {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes.push_back(static_cast<char>(i * 7));
    const auto word = encode_cursor(bytes);
    CHECK(word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
          std::string::npos);
    CHECK(decode_cursor(word) == bytes);
  }
  CHECK(encode_cursor("abc") == "YWJj");
  CHECK(encode_cursor("\xfb\xff") == "-_8");
}

TEST_CASE("cursor: what is no cursor is refused") {
  for (const std::string bad : {"", "A", "AAAAA", "AB=", "A B", "ü", "AB+/"}) {
    CAPTURE(bad);
    CHECK_FALSE(decode_cursor(bad));
  }
  CHECK_FALSE(decode_cursor(std::string(402, 'A')));
  CHECK(decode_cursor(std::string(400, 'A')));
}

TEST_CASE("cursor: the key of a row of any entity fits") {
  CHECK(decode_cursor(encode_cursor(std::string(200 + 64, '\xff'))));
}

TEST_CASE("render: the cursor of the next page is a word, in the JSON and beside it") {
  std::string out;
  const auto bytes = encode(item_page{{{"a"}}, std::string("\x00\xff", 2)});
  CHECK(render_as<item_page>(bytes, out) == "AP8");
  CHECK(out == R"({"items":[{"name":"a"}],"nextCursor":"AP8"})");
  out.clear();
  CHECK(render_as<item_page>(encode(item_page{}), out).empty());
  CHECK(out == R"({"items":[]})");
}

TEST_CASE("request: parameters and query values are found by name") {
  route_request in;
  in.path = {{"sku", "phone"}};
  in.query = {{"limit", "7"}, {"mine", ""}};
  CHECK(in.param("sku") == "phone");
  CHECK(in.param("other").empty());
  CHECK(in.query_value("mine") != nullptr);
  CHECK(in.query_value("other") == nullptr);
  CHECK(in.page() == page_request{7, ""});
  CHECK(in.errors.empty());
}

TEST_CASE("request: a fresh id follows from the idempotency key, or from seed and time") {
  route_request in;
  in.now = {1'769'851'800'000};
  in.id_seed = 3;
  const auto unnamed = in.fresh_id();
  CHECK(time_in(unnamed) == in.now);
  in.command_id = "0123456789abcdef";
  CHECK(in.fresh_id() == make_uuid_v8("0123456789abcdef"));
  CHECK(in.fresh_id() != unnamed);
}
