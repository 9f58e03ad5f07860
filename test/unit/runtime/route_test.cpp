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
  const route_request in;
  const auto word = in.seal_cursor(std::string_view{"\x00\xff", 2});
  CHECK(render_as<item_page>(bytes, in, out).next_cursor == word);
  CHECK(out == R"({"items":[{"name":"a"}],"nextCursor":")" + word + R"("})");
  out.clear();
  CHECK(render_as<item_page>(encode(item_page{}), in, out).next_cursor.empty());
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

TEST_CASE("cursor: one is for its own list, caller and filters, whole and in any order of the filters") {
  const auto list_of = [] {
    route_request in;
    in.list = "/api/v1/users/{userId}/notifications";
    in.path = {{"userId", "u1"}};
    in.query = {{"unread", "true"}, {"by", "time"}, {"limit", "5"}};
    in.who.user = *parse_uuid("0190b1c0-0000-7000-8000-000000000001");
    return in;
  };
  const auto word = list_of().seal_cursor("row");
  const auto opens = [](route_request in, const std::string& cursor) {
    in.query.emplace_back("cursor", cursor);
    const auto page = in.page();
    CHECK(in.errors.empty() != in.has_foreign_cursor);
    return !in.has_foreign_cursor && page.cursor == "row";
  };
  CHECK(opens(list_of(), word));
  auto in = list_of();
  in.query = {{"limit", "9"}, {"by", "time"}, {"unread", "true"}};
  CHECK(opens(in, word));
  in = list_of();
  in.list = "/api/v1/tasks";
  CHECK_FALSE(opens(in, word));
  in = list_of();
  in.path = {{"userId", "u2"}};
  CHECK_FALSE(opens(in, word));
  in = list_of();
  in.query.front().second = "false";
  CHECK_FALSE(opens(in, word));
  in = list_of();
  in.query.erase(in.query.begin());
  CHECK_FALSE(opens(in, word));
  in = list_of();
  in.who.user.bytes[15] ^= 1;
  CHECK_FALSE(opens(in, word));
  for (std::size_t i = 0; i < word.size(); ++i) {
    auto damaged = word;
    damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
    CAPTURE(damaged);
    CHECK_FALSE(opens(list_of(), damaged));
    CHECK_FALSE(opens(list_of(), word.substr(0, i)));
  }
  CHECK_FALSE(opens(list_of(), word + "A"));
  CHECK_FALSE(opens(list_of(), list_of().seal_cursor("")));
}

TEST_CASE("request: a fresh id follows from the idempotency key, or from seed and time") {
  route_request in;
  in.now = {1'769'851'800'000};
  in.id_seed = 3;
  const auto unnamed = in.fresh_id();
  CHECK(time_in(unnamed) == in.now);
  in.key_id = "0123456789abcdef";
  CHECK(in.fresh_id() == make_uuid_v8("0123456789abcdef"));
  CHECK(in.fresh_id() != unnamed);
}
