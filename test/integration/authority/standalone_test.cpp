#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "cluster/authority/standalone.hpp"
#include "runtime/base/hash.hpp"
#include "test/integration/authority/authority_fixture.hpp"
#include "test/support/damage.hpp"
#include "test/support/temporary_directory.hpp"

using namespace troupe;
using namespace troupe::test;

namespace {

struct directory {
  std::string text() const {
    std::ifstream in{where.path() + "/authority"};
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
  }
  void write(const std::string& text) const { std::ofstream{where.path() + "/authority"} << text; }
  auto open(std::uint32_t shards = 4) const { return standalone_authority::open({where.path(), shards}); }

  temporary_directory where;
};

std::string sealed(const std::string& json) { return fmt::format("{}\n{:016x}\n", json, stable_hash(json)); }

}  // namespace

TEST_CASE("standalone authority: each opening is a later run and a new epoch of every shard, alone in sync") {
  const directory d;
  std::uint64_t last_run = 0;
  for (std::uint64_t opening = 1; opening <= 3; ++opening) {
    CAPTURE(opening);
    const auto opened = d.open();
    REQUIRE_MESSAGE(opened.authority, opened.error);
    const auto read = read_all(*opened.authority);
    REQUIRE(read.ok);
    REQUIRE(read.configs.size() == 4);
    for (const auto& shard : read.configs) {
      CHECK(shard.config.epoch == opening);
      CHECK(shard.config.primary.node == node_id{1});
      CHECK(shard.config.primary.run > last_run);
      CHECK(shard.config.in_sync == std::vector{shard.config.primary});
      CHECK(shard.config.min_in_sync == 1);
      CHECK(shard.revision == shard.config.primary.run);
    }
    last_run = read.configs[0].config.primary.run;
  }
}

TEST_CASE(
    "standalone authority: compare-and-set as with etcd, and what it wrote is there after the next opening") {
  const directory d;
  {
    const auto a = d.open().authority;
    const auto before = read_all(*a).configs.at(2);
    auto next = before.config;
    next.epoch = 10;
    const auto won = cas(*a, 2, before.revision, next);
    REQUIRE(won.outcome == cas_outcome::won);
    CHECK(won.now.revision > before.revision);
    const auto lost = cas(*a, 2, before.revision, before.config);
    CHECK(lost.outcome == cas_outcome::conflict);
    CHECK(lost.now.revision == won.now.revision);
    CHECK(lost.now.config == next);
    auto with_stranger = next;
    with_stranger.in_sync.push_back({node_id{2}, 7});
    CHECK(cas(*a, 2, won.now.revision, with_stranger).outcome == cas_outcome::conflict);
  }
  const auto a = d.open().authority;
  CHECK(read_all(*a).configs.at(2).config.epoch == 11);
  CHECK(read_all(*a).configs.at(1).config.epoch == 2);
}

TEST_CASE(
    "standalone authority: another shard count, a newer format and a damaged file are refused untouched") {
  const directory d;
  { REQUIRE(d.open().authority); }
  const auto good = d.text();
  CHECK(d.open(8).error.find("was made with 4 shards, not 8") != std::string::npos);
  CHECK(d.text() == good);

  auto newer = good;
  newer.replace(newer.find("\"format\":2"), 10, "\"format\":9");
  newer = sealed(newer.substr(0, newer.find('\n')));
  d.write(newer);
  CHECK(d.open().error.find("run a newer troupe") != std::string::npos);
  CHECK(d.text() == newer);

  for (const auto& damaged :
       {std::string{}, good.substr(0, good.size() / 2), good + "x", std::string{"{}"}}) {
    CAPTURE(damaged);
    d.write(damaged);
    CHECK_FALSE(d.open().authority);
    CHECK_FALSE(d.open().error.empty());
    CHECK(d.text() == damaged);
  }
}

TEST_CASE("standalone authority: a file with any bit changed, or cut anywhere, is refused untouched") {
  const directory d;
  { REQUIRE(d.open().authority); }
  const auto good = d.text();
  const auto is_refused = [&](const std::string& damaged) {
    d.write(damaged);
    const auto opened = d.open();
    return !opened.authority && !opened.error.empty() && d.text() == damaged;
  };
  test::for_each_flipped_bit(good, [&](const std::string& damaged, std::size_t bit) {
    if (!is_refused(damaged)) FAIL_CHECK("bit " << bit);
  });
  test::for_each_cut(good, [&](const std::string& damaged, std::size_t length) {
    if (!is_refused(damaged)) FAIL_CHECK("length " << length);
  });
  d.write(good);
  CHECK(d.open().authority);
}

TEST_CASE("standalone authority: a file of the first format, without a hash, is read and gets one") {
  const directory d;
  { REQUIRE(d.open().authority); }
  auto old = d.text();
  old = old.substr(0, old.find('\n'));
  old.replace(old.find("\"format\":2"), 10, "\"format\":1");
  d.write(old);
  const auto opened = d.open();
  REQUIRE_MESSAGE(opened.authority, opened.error);
  CHECK(read_all(*opened.authority).configs.at(0).config.epoch == 2);
  CHECK(d.text().find("\"format\":2") != std::string::npos);
  CHECK(d.text() == sealed(d.text().substr(0, d.text().find('\n'))));
}

TEST_CASE("standalone authority: a revision that is less than a shard's is refused untouched") {
  const directory d;
  for (int start = 0; start < 7; ++start) REQUIRE(d.open().authority);
  auto wrong = d.text();
  wrong.replace(wrong.find("\"revision\":7"), 12, "\"revision\":3");
  wrong = sealed(wrong.substr(0, wrong.find('\n')));
  d.write(wrong);
  CHECK(d.open().error.find("its revision is 3") != std::string::npos);
  CHECK(d.text() == wrong);
}

TEST_CASE("standalone authority: registration gives the run that the opening has started") {
  const directory d;
  const auto a = d.open().authority;
  auto me = profile("laptop", 1);
  me.shard_count = 4;
  const auto entered = enter(*a, me);
  REQUIRE(entered.outcome == registration_outcome::registered);
  CHECK(entered.self == read_all(*a).configs.at(0).config.primary);
  CHECK_FALSE(entered.cluster.is_nil());
  CHECK(read_nodes(*a).nodes.at(0).name == "laptop");
  me.shard_count = 5;
  CHECK(enter(*a, me).outcome == registration_outcome::refused);
}

TEST_CASE("standalone authority: a directory that cannot be written is an error, not a start") {
  const auto opened = standalone_authority::open({"/nonexistent/troupe", 4});
  CHECK_FALSE(opened.authority);
  CHECK(opened.error.find("/nonexistent/troupe") != std::string::npos);
}
