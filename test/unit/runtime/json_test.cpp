#include <doctest/doctest.h>

#include <boost/json/parse.hpp>

#include "runtime/entity/json_read.hpp"
#include "runtime/entity/json_write.hpp"

using namespace troupe;

namespace {

enum class color : std::uint8_t { red = 1, dark_green = 2 };
TROUPE_DESCRIBE_ENUM(color, red, dark_green)

struct part {
  std::string part_name{};
  friend auto operator<=>(const part&, const part&) = default;
};
TROUPE_DESCRIBE(part, part_name)

struct whole {
  bool is_new = false;
  std::int64_t count = 0;
  std::uint8_t tiny = 0;
  color main_color = color::red;
  uuid id{};
  timestamp at{};
  std::optional<std::string> note{};
  std::vector<part> parts{};
  retired gone{};
  friend auto operator<=>(const whole&, const whole&) = default;
};
TROUPE_DESCRIBE(whole, is_new, count, tiny, main_color, id, at, note, parts, gone)

const std::string whole_text =
    R"({"isNew":true,"count":-3,"tiny":255,"mainColor":"dark_green","id":"00000000-0000-4000-8000-000000000007",)"
    R"("at":"2026-01-31T09:30:00.000Z","note":"n","parts":[{"partName":"a"},{"partName":"b"}]})";

std::vector<std::string> faults(const std::string& text) {
  whole v;
  std::vector<field_error> errors;
  read_json(boost::json::parse(text), v, "", errors);
  std::vector<std::string> found;
  for (const auto& e : errors) found.push_back(e.pointer);
  return found;
}

std::string replaced(const std::string& what, const std::string& by) {
  auto text = whole_text;
  return text.replace(text.find(what), what.size(), by);
}

using pointers = std::vector<std::string>;

}  // namespace

TEST_CASE("json: what is written reads back") {
  whole v;
  std::vector<field_error> errors;
  read_json(boost::json::parse(whole_text), v, "", errors);
  CHECK(errors.empty());
  CHECK(v.parts == std::vector<part>{{"a"}, {"b"}});
  CHECK(v.main_color == color::dark_green);
  std::string out;
  write_json(out, v);
  CHECK(out == whole_text);
}

TEST_CASE("json: each fault has the pointer of its field") {
  CHECK(faults(replaced("true", "1")) == pointers{"/isNew"});
  CHECK(faults(replaced("-3", "1.0")) == pointers{"/count"});
  CHECK(faults(replaced("-3", "\"3\"")) == pointers{"/count"});
  CHECK(faults(replaced("-3", "9223372036854775808")) == pointers{"/count"});
  CHECK(faults(replaced("255", "256")) == pointers{"/tiny"});
  CHECK(faults(replaced("255", "-1")) == pointers{"/tiny"});
  CHECK(faults(replaced("dark_green", "blue")) == pointers{"/mainColor"});
  CHECK(faults(replaced("000007", "00000")) == pointers{"/id"});
  CHECK(faults(replaced("T09", "X09")) == pointers{"/at"});
  CHECK(faults(replaced("\"n\"", "5")) == pointers{"/note"});
  CHECK(faults(replaced("\"b\"", "null")) == pointers{"/parts/1/partName"});
  CHECK(faults(replaced("{\"partName\":\"b\"}", "7")) == pointers{"/parts/1"});
  CHECK(faults("[]") == pointers{""});
}

TEST_CASE("json: missing and unknown fields are told, optional ones may be absent or null") {
  CHECK(faults(replaced("\"count\":-3,", "")) == pointers{"/count"});
  CHECK(faults(replaced("\"note\":\"n\",", "")).empty());
  CHECK(faults(replaced("\"n\"", "null")).empty());
  CHECK(faults(replaced("\"count\":-3,", "\"count\":-3,\"gone\":1,")) == pointers{"/gone"});
  CHECK(faults(replaced("\"count\":-3,", "\"count\":-3,\"is_new\":1,")) == pointers{"/is_new"});
  CHECK(faults(replaced("\"count\":-3,", "\"Count\":-3,")) == pointers{"/count", "/Count"});
}

TEST_CASE("json: strings are escaped") {
  std::string out;
  write_json_string(out, std::string_view{"a\"b\\c\nd\te\0ü", 12});
  CHECK(out == "\"a\\\"b\\\\c\\nd\\u0009e\\u0000ü\"");
  CHECK(boost::json::parse(out).as_string() == std::string_view{"a\"b\\c\nd\te\0ü", 12});
}

TEST_CASE("json: null is told from absent where that matters") {
  const auto body = boost::json::parse(R"({"a":null,"b":1})");
  CHECK(says_null(&body, "a"));
  CHECK_FALSE(says_null(&body, "b"));
  CHECK_FALSE(says_null(&body, "c"));
  CHECK_FALSE(says_null(nullptr, "a"));
}

TEST_CASE("json: names are camelCase outside") {
  CHECK(camel_case("per_user_limit") == "perUserLimit");
  CHECK(camel_case("id") == "id");
  CHECK(camel_case("a_1") == "a1");
}
