#include <doctest/doctest.h>

#include "cluster/replica_host/authority_reader.hpp"
#include "test/integration/replica_host/told_authority.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {
constexpr member self{node_id{1}, 5};
}

TEST_CASE("authority reader: who asks during a read shares the next one, and gets one answer") {
  told_authority authority;
  authority_reader reader{authority};
  std::vector<std::pair<shard_id, std::uint64_t>> heard;
  const auto note = [&](const stored_config& c) { heard.emplace_back(c.shard, c.revision); };
  reader.read(0, note);
  reader.read(1, note);
  reader.read(2, note);
  reader.read(1, note);
  REQUIRE(authority.reads.size() == 1);
  authority.answer_read({.ok = true, .configs = {alone(0, self, 1, 7), alone(1, self, 1, 7)}, .error = {}});
  CHECK(heard == std::vector<std::pair<shard_id, std::uint64_t>>{{0, 7}});
  REQUIRE(authority.reads.size() == 1);
  heard.clear();
  authority.answer_read({.ok = true, .configs = {alone(1, self, 2, 9), alone(2, self, 2, 8)}, .error = {}});
  CHECK(heard == std::vector<std::pair<shard_id, std::uint64_t>>{{2, 8}, {1, 9}});
  CHECK(authority.reads.empty());
}

TEST_CASE(
    "authority reader: an authority that cannot be reached answers nobody, and the next question asks "
    "again") {
  told_authority authority;
  authority_reader reader{authority};
  int heard = 0;
  const auto note = [&](const stored_config&) { ++heard; };
  reader.read(0, note);
  authority.answer_read({.ok = false, .configs = {}, .error = "away"});
  CHECK(heard == 0);
  reader.read(0, note);
  authority.answer_read({.ok = true, .configs = {alone(0, self, 1, 1)}, .error = {}});
  CHECK(heard == 1);
}

TEST_CASE("authority reader: an answer that comes after its end asks nothing more") {
  told_authority authority;
  int heard = 0;
  {
    authority_reader reader{authority};
    reader.read(0, [&](const stored_config&) { ++heard; });
    reader.read(1, [&](const stored_config&) { ++heard; });
  }
  authority.answer_read({.ok = true, .configs = {alone(0, self, 1, 1)}, .error = {}});
  CHECK(authority.reads.empty());
}
