#include <doctest/doctest.h>

#include <fmt/format.h>

#include "test/chaos/copies.hpp"

using troupe::chaos::copy_behind;

namespace {

std::string stats(int last, int applied) {
  return fmt::format(
      R"({{"shards":[{{"shard":3,"isPrimary":false,"last":{},"committed":{},"applied":{}}}]}})", last,
      applied, applied);
}

}  // namespace

TEST_CASE("copies: all at one entry and applied is right") {
  CHECK(copy_behind({{"n1", stats(7, 7)}, {"n2", stats(7, 7)}}) == "");
}

TEST_CASE("copies: one that lacks an entry, or has not applied it, is named") {
  CHECK(copy_behind({{"n1", stats(7, 7)}, {"n2", stats(6, 6)}}) ==
        "n2's copy of shard 3 has applied entry 6, and the log ends with 7");
  CHECK(copy_behind({{"n1", stats(7, 6)}, {"n2", stats(7, 7)}}) ==
        "n1's copy of shard 3 has applied entry 6, and the log ends with 7");
}

TEST_CASE("copies: a node that says nothing is named") {
  CHECK(copy_behind({{"n1", stats(7, 7)}, {"n2", ""}}) == "n2 does not say where its copies are");
  CHECK(copy_behind({{"n1", R"({"shards":[]})"}}) == "no node has a copy");
}
