#include <doctest/doctest.h>

#include "runtime/base/text.hpp"

#include <set>

#include "runtime/base/random.hpp"
#include "runtime/base/text.hpp"
#include "runtime/base/uuid.hpp"

using namespace troupe;

TEST_CASE("time: is written in UTC with milliseconds, and reads back") {
  CHECK(to_rfc3339({0}) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339({1'769'851'800'007}) == "2026-01-31T09:30:00.007Z");
  CHECK(parse_rfc3339("2026-01-31T09:30:00.007Z") == timestamp{1'769'851'800'007});
}

TEST_CASE("time: offsets, lower case, a blank and fractions are understood") {
  const timestamp at{1'769'851'800'000};
  for (const std::string text :
       {"2026-01-31T09:30:00Z", "2026-01-31t09:30:00z", "2026-01-31 09:30:00Z", "2026-01-31T10:30:00+01:00",
        "2026-01-31T00:00:00-09:30", "2026-01-31T09:30:00.0Z", "2026-01-31T09:30:00.000999999Z"}) {
    CAPTURE(text);
    CHECK(parse_rfc3339(text) == at);
  }
  CHECK(parse_rfc3339("2026-01-31T09:30:00.5Z") == timestamp{at.ms + 500});
  CHECK(parse_rfc3339("2026-01-31T09:30:00.12Z") == timestamp{at.ms + 120});
  CHECK(parse_rfc3339("9999-12-31T23:59:59.999Z") == timestamp{253'402'300'799'999});
  CHECK(parse_rfc3339("2024-02-29T00:00:00Z").has_value());
}

TEST_CASE("time: what is no time is refused") {
  for (const std::string text : {"",
                                 "2026-01-31",
                                 "2026-01-31T09:30:00",
                                 "2026-02-29T00:00:00Z",
                                 "2026-13-01T00:00:00Z",
                                 "2026-00-01T00:00:00Z",
                                 "2026-01-32T00:00:00Z",
                                 "2026-01-31T24:00:00Z",
                                 "2026-01-31T09:60:00Z",
                                 "2026-01-31T09:30:60Z",
                                 "2026-01-31T09:30:00.Z",
                                 "2026-01-31T09:30:00.1234567890Z",
                                 "2026-01-31T09:30:00+0100",
                                 "2026-01-31T09:30:00+24:00",
                                 "2026-01-31T09:30:00Zx",
                                 "2026/01/31T09:30:00Z",
                                 "1969-12-31T23:59:59Z",
                                 "1970-01-01T00:30:00+01:00",
                                 "+026-01-31T09:30:00Z",
                                 "9999-12-31T23:59:59-00:01",
                                 "2026-01-31X09:30:00Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("uuid: text of either case reads, and is written in lower case") {
  const auto id = parse_uuid("0190A0ff-0000-7000-8000-00000000000b");
  REQUIRE(id);
  CHECK(to_string(*id) == "0190a0ff-0000-7000-8000-00000000000b");
  for (const std::string bad :
       {"", "0190a0ff-0000-7000-8000-00000000000", "0190a0ff-0000-7000-8000-00000000000bb",
        "0190a0ff00000-7000-8000-00000000000b", "0190a0fg-0000-7000-8000-00000000000b",
        "{190a0ff-0000-7000-8000-00000000000b", "0190a0ff-0000-7000-8000-0000000000-b"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_uuid(bad));
  }
  CHECK_FALSE(uuid_from_bytes("short"));
}

TEST_CASE("uuid: version 7 carries its time and its version, and orders by time") {
  const auto id = make_uuid_v7({1'769'851'800'007}, ~0ULL, ~0ULL);
  CHECK(to_string(id) == "019c1363-49c7-7fff-bfff-ffffffffffff");
  CHECK(time_in(id) == timestamp{1'769'851'800'007});
  CHECK(id < make_uuid_v7({1'769'851'800'008}, 0, 0));
}

TEST_CASE("uuid: version 8 is made of the bytes it is given") {
  CHECK(to_string(make_uuid_v8("0123456789abcdef")) == "30313233-3435-8637-b839-616263646566");
  CHECK(make_uuid_v8("0123456789abcdef") == make_uuid_v8("0123456789abcdef"));
}

TEST_CASE("uuid: a numbered id leads back to its number and time, and orders by both") {
  const timestamp at{1'769'851'800'007};
  for (const std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{300}, (std::uint64_t{1} << 56) - 1}) {
    const auto id = make_numbered_uuid_v7(at, 0x0123456789abcdef, number);
    CHECK(number_in(id) == number);
    CHECK(time_in(id) == at);
    CHECK(to_string(id)[14] == '7');
    CHECK(number_in(make_numbered_uuid_v7(at, 0, number)) == number);
  }
  CHECK(make_numbered_uuid_v7(at, 7, 255) < make_numbered_uuid_v7(at, 7, 256));
  CHECK(make_numbered_uuid_v7(at, 7, 256) < make_numbered_uuid_v7({at.ms + 1}, 7, 1));
  CHECK(make_numbered_uuid_v7(at, 7, 1) != make_numbered_uuid_v7(at, 8, 1));
}

TEST_CASE("ids: one seed yields one sequence, without repeats") {
  id_source a{1};
  id_source b{1};
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const auto id = a.next();
    CHECK(id == b.next());
    seen.insert(id);
  }
  CHECK(seen.size() == 1000);
  CHECK(id_source{1}.next() != id_source{2}.next());
}

TEST_CASE("text: characters are code points, not bytes") {
  CHECK(count_characters("") == 0);
  CHECK(count_characters("abc") == 3);
  CHECK(count_characters("ü€😀") == 3);
}

TEST_CASE("text: blank is what shows nothing") {
  for (const std::string text :
       {"", " ", "\t\r\n ", "\xc2\xa0", "\xc2\x85", "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x8b",
        "\xe2\x80\xa8\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80 ", "\xef\xbb\xbf"}) {
    CAPTURE(text);
    CHECK(is_blank(text));
  }
  for (const std::string text :
       {"a", " a ", "\xc2\xa1", "\xe3\x80\x81", "\xe2\x80\x94", "\xf0\x9f\xa7\xb8", "0"}) {
    CAPTURE(text);
    CHECK_FALSE(is_blank(text));
  }
}
