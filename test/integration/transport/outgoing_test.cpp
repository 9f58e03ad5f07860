#include "cluster/transport/outgoing.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace troupe;
using wire::word;

namespace {

constexpr std::size_t message_bytes_max = 1000;
constexpr std::size_t plenty = 1U << 20U;

struct heard_word {
  word kind{};
  std::string bytes;
};

/// What the other side hears of these messages; each is held against the bound.
std::vector<heard_word> heard(outgoing& from) {
  std::vector<heard_word> out;
  wire::assembly parts;
  for (std::string message; from.take(message);) {
    CHECK(message.size() <= message_bytes_max);
    REQUIRE(wire::for_each_word(message, [&](word kind, std::string_view bytes) {
      if (kind != word::part) {
        CHECK(parts.is_empty());
        return out.push_back({kind, std::string{bytes}});
      }
      std::optional<wire::assembly::whole> done;
      REQUIRE(parts.take(bytes, done));
      if (done) out.push_back({done->kind, std::move(done->bytes)});
    }));
  }
  CHECK(parts.is_empty());
  return out;
}

std::string counted(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(i * 7 + i / 251));
  return out;
}

}  // namespace

TEST_CASE("outgoing: no message is longer than the bound, and words of any length come out as they went in") {
  outgoing out{message_bytes_max, plenty, plenty};
  out.open();
  std::vector<std::string> put;
  for (const std::size_t size :
       {0, 1, 100, 979, 980, 981, 982, 998, 1000, 1001, 1958, 1960, 5000, 3, 40'000, 7}) {
    put.push_back(counted(size));
    REQUIRE(out.put(size % 2 == 0 ? word::replication : word::config, put.back()) !=
            outgoing::put_result::dropped);
  }
  const auto got = heard(out);
  REQUIRE(got.size() == put.size());
  for (std::size_t i = 0; i < put.size(); ++i) {
    CHECK(got[i].bytes == put[i]);
    CHECK(got[i].kind == (put[i].size() % 2 == 0 ? word::replication : word::config));
  }
}

TEST_CASE("outgoing: what waits is bounded, and there is room again when it was taken") {
  outgoing out{message_bytes_max, 3000, plenty};
  out.open();
  std::size_t taken = 0;
  while (out.put(word::parcels, counted(100)) != outgoing::put_result::dropped) REQUIRE(++taken < 31);
  CHECK(taken > 20);
  CHECK(out.put(word::parcels, counted(3001)) == outgoing::put_result::dropped);
  CHECK(heard(out).size() == taken);
  CHECK(out.put(word::parcels, counted(100)) != outgoing::put_result::dropped);
}

TEST_CASE("outgoing: what is under way is bounded until the other side has taken it in") {
  outgoing out{message_bytes_max, plenty, 2500};
  out.open();
  for (int i = 0; i < 10; ++i) out.put(word::parcels, counted(900));
  std::string message;
  std::size_t under_way = 0;
  while (out.take(message)) under_way += message.size();
  CHECK(under_way >= 2500);
  CHECK(under_way < 2500 + message_bytes_max);
  CHECK_FALSE(out.take(message));
  out.taken_in(message_bytes_max);
  CHECK(out.take(message));
  CHECK_FALSE(out.take(message));
  out.taken_in(plenty);  // more than there is: the other side believes what it likes
  CHECK(out.take(message));
}

TEST_CASE("outgoing: who takes is told once, and again when all was taken") {
  outgoing out{message_bytes_max, plenty, plenty};
  CHECK(out.put(word::reply, "closed") == outgoing::put_result::dropped);
  out.open();
  CHECK(out.put(word::reply, "a") == outgoing::put_result::wake);
  CHECK(out.put(word::reply, "b") == outgoing::put_result::waits);
  CHECK(heard(out).size() == 2);
  CHECK(out.put(word::reply, "c") == outgoing::put_result::wake);
  out.close();
  std::string message;
  CHECK_FALSE(out.take(message));
}

TEST_CASE("parts: what is no part, or of another word, is refused, and the next word is whole") {
  const auto part = [](word kind, char is_last, const std::string& bytes) {
    return std::string{static_cast<char>(kind)} + is_last + bytes;
  };
  wire::assembly parts;
  std::optional<wire::assembly::whole> done;
  for (const auto& bad : {std::string{}, std::string{"\1"}, part(word::part, 1, "x"), part(word{0}, 1, "x"),
                          part(word{200}, 1, "x"), part(word::reply, 2, "x")}) {
    CHECK(parts.take(part(word::reply, 0, "begun"), done));
    CHECK_FALSE(parts.take(bad, done));
    CHECK(parts.is_empty());
  }
  CHECK(parts.take(part(word::reply, 0, "begun"), done));
  CHECK_FALSE(parts.take(part(word::command, 1, "of another"), done));
  CHECK_FALSE(done);
  CHECK(parts.take(part(word::command, 0, "a"), done));
  CHECK(parts.take(part(word::command, 1, "b"), done));
  REQUIRE(done);
  CHECK(done->kind == word::command);
  CHECK(done->bytes == "ab");
  // Never more than the bound, however many come.
  const std::string piece(1U << 20U, 'p');
  std::size_t pieces = 0;
  while (parts.take(part(word::reply, 0, piece), done)) REQUIRE(++pieces < 33);
  CHECK(pieces == wire::parted_bytes_max / piece.size());
  CHECK(parts.is_empty());
}
