#include <doctest/doctest.h>

#include "runtime/entity/activation.hpp"
#include "runtime/journal/entry.hpp"
#include "test/support/memory_rows.hpp"

using namespace troupe;
using test::memory_rows;

// A kind that makes entries of any size.
namespace {

enum class place : std::uint8_t { state = 1, row = 2, message = 3, timer = 4, reply = 5 };
TROUPE_DESCRIBE_ENUM(place, state, row, message, timer, reply)

struct scribble {
  place where = place::state;
  std::uint64_t bytes = 0;
};
TROUPE_DESCRIBE(scribble, where, bytes)
struct note {
  std::string text;
};
TROUPE_DESCRIBE(note, text)

struct get {};
BOOST_DESCRIBE_STRUCT(get, (), ())

struct notebook final : entity<notebook, note> {
  static constexpr kind_options options{.id = kind_id{9}, .name = "notebook"};
  using commands = messages<numbered<1, scribble>, numbered<2, note>>;
  using queries = messages<numbered<3, get>>;
  TROUPE_NUMBERED_MESSAGES

  result<note> on(const scribble& c) {
    const std::string text(c.bytes, 't');
    edit().text = c.where == place::state ? text : "small";
    if (c.where == place::row) rows<std::uint64_t, note>(table_no{1}).put(1, {text});
    if (c.where == place::message) send<notebook>("other", note{text});
    if (c.where == place::timer) after(std::chrono::seconds{1}, note{text});
    return note{c.where == place::reply ? text : "done"};
  }
  result<note> on(const note&) { return note{}; }
  result<note> on(const get&) const { return note{}; }
};

}  // namespace

TEST_CASE("activation: entity/E1, a command with more than one entry may hold fails and changes nothing") {
  for (const auto where : {place::state, place::row, place::message, place::timer, place::reply}) {
    CAPTURE(static_cast<int>(where));
    memory_rows stored;
    const auto kind = describe_kind<notebook>();
    activation one{kind, "k", stored.source()};
    const auto run = [&](std::uint64_t bytes) {
      return one.execute({{1000}, 7}, message_no{1}, encode(scribble{where, bytes}), 1);
    };
    REQUIRE(run(10).what == outcome::status::ok);
    const auto before = one.state_bytes();
    const auto refused = run(entry_bytes_max);
    CHECK(refused.what == outcome::status::failed);
    CHECK(refused.changes.empty());
    CHECK(refused.reply.empty());
    CHECK(one.version() == 1);
    CHECK(one.state_bytes() == before);
    // The largest that passes takes no more than was promised.
    const auto passed = run(entry_bytes_max - 1000);
    REQUIRE(passed.what == outcome::status::ok);
    CHECK(one.version() == 2);
    entry_head head;
    head.kind = kind_id{9};
    head.key = "k";
    head.command_id = "0123456789abcdef";
    head.reply = passed.reply;
    std::string entry;
    encode_entry(entry, head, passed.changes);
    CHECK(entry.size() > entry_bytes_max - 1000);
    CHECK(entry.size() <= entry_bytes_max);
  }
}
