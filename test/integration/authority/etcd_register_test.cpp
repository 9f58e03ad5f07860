#include <doctest/doctest.h>

#include <algorithm>

#include "cluster/authority/etcd/etcd_authority.hpp"
#include "test/integration/authority/authority_fixture.hpp"
#include "test/integration/authority/cutting_proxy.hpp"
#include "test/integration/authority/etcd_process.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using etcd::etcd_authority;

namespace {

etcd::etcd_options options(const etcd_process& server) {
  etcd::etcd_options o;
  o.endpoints = {server.endpoint()};
  o.cluster = "test";
  return o;
}

struct one_node {
  etcd_process server;
  etcd_authority authority{options(server)};
  member self = enter(authority, profile("a", 1)).self;
};

}  // namespace

TEST_CASE(
    "etcd authority: a shard without config is created at revision 0, and read back as it was written") {
  one_node w;
  CHECK(read_all(w.authority).ok);
  CHECK(read_all(w.authority).configs.empty());

  const auto config = led_by(w.self, 1, {w.self});
  const auto created = cas(w.authority, 7, 0, config);
  REQUIRE(created.outcome == cas_outcome::won);
  CHECK(created.now.shard == 7);
  CHECK(created.now.revision > w.self.run);
  CHECK(created.now.config == config);

  const auto read = read_all(w.authority);
  REQUIRE(read.ok);
  REQUIRE(read.configs.size() == 1);
  CHECK(read.configs[0].shard == 7);
  CHECK(read.configs[0].revision == created.now.revision);
  CHECK(read.configs[0].config == config);
}

TEST_CASE("etcd authority: a proposal at an old revision loses and is told what is held") {
  one_node w;
  const auto first = led_by(w.self, 1, {w.self});
  const auto second = led_by(w.self, 2, {w.self});
  const auto created = cas(w.authority, 0, 0, first);
  const auto changed = cas(w.authority, 0, created.now.revision, second);
  REQUIRE(changed.outcome == cas_outcome::won);
  CHECK(changed.now.revision > created.now.revision);

  for (const auto stale : {std::uint64_t{0}, created.now.revision}) {
    CAPTURE(stale);
    const auto lost = cas(w.authority, 0, stale, led_by(w.self, 3, {w.self}));
    CHECK(lost.outcome == cas_outcome::conflict);
    CHECK(lost.now.revision == changed.now.revision);
    CHECK(lost.now.config == second);
  }
}

TEST_CASE("etcd authority: of two clients that write at once exactly one wins, every time") {
  one_node w;
  etcd_authority other{options(w.server)};
  std::uint64_t revision = 0;
  for (std::uint64_t round = 1; round <= 50; ++round) {
    CAPTURE(round);
    std::promise<cas_result> answers[2];
    etcd_authority* clients[2] = {&w.authority, &other};
    for (std::size_t i = 0; i < 2; ++i) {
      auto config = led_by(w.self, round, {w.self});
      config.written_by = numbered(2 * round + i);
      clients[i]->cas(3, revision, config, [&, i](cas_result r) { answers[i].set_value(std::move(r)); });
    }
    const auto a = answers[0].get_future().get();
    const auto b = answers[1].get_future().get();
    const auto& won = a.outcome == cas_outcome::won ? a : b;
    const auto& lost = a.outcome == cas_outcome::won ? b : a;
    REQUIRE(won.outcome == cas_outcome::won);
    REQUIRE(lost.outcome == cas_outcome::conflict);
    CHECK(lost.now.revision == won.now.revision);
    CHECK(lost.now.config == won.now.config);
    revision = won.now.revision;
  }
}

TEST_CASE(
    "etcd authority: a proposal that adds a superseded run of a node loses, with the revision unchanged") {
  one_node w;
  const auto old_b = enter(w.authority, profile("b", 2)).self;
  const auto created = cas(w.authority, 0, 0, led_by(w.self, 1, {w.self}));
  const auto new_b = enter(w.authority, profile("b", 2)).self;
  REQUIRE(new_b.node == old_b.node);
  REQUIRE(new_b.run > old_b.run);

  const auto lost = cas(w.authority, 0, created.now.revision, led_by(w.self, 1, {w.self, old_b}));
  CHECK(lost.outcome == cas_outcome::conflict);
  CHECK(lost.now.revision == created.now.revision);

  const auto strange =
      cas(w.authority, 0, created.now.revision, led_by(w.self, 1, {w.self, {node_id{99}, 5}}));
  CHECK(strange.outcome == cas_outcome::conflict);
  CHECK(strange.now.revision == created.now.revision);

  CHECK(cas(w.authority, 0, created.now.revision, led_by(w.self, 1, {w.self, new_b})).outcome ==
        cas_outcome::won);
}

TEST_CASE("etcd authority: a member that stays in the set need not be its node's latest run") {
  one_node w;
  const auto b = enter(w.authority, profile("b", 2)).self;
  const auto created = cas(w.authority, 0, 0, led_by(w.self, 1, {w.self, b}));
  REQUIRE(created.outcome == cas_outcome::won);
  enter(w.authority, profile("b", 2));  // b has restarted; the primary may still change other things
  CHECK(cas(w.authority, 0, created.now.revision, led_by(w.self, 2, {w.self, b})).outcome ==
        cas_outcome::won);
}

TEST_CASE(
    "etcd authority: a change by another node is hinted at within a moment, and so is a node's address") {
  one_node w;
  auto slow = options(w.server);
  slow.hint_interval = 60s;  // what comes within a second comes from the watch
  etcd_authority other{slow};
  call_count hints;
  other.on_hint([&] { hints(); });
  // The first look and the start of the watch are hints of their own.
  for (auto seen = hints.now(); hints.wait_past(seen, 500ms);) seen = hints.now();

  auto before = hints.now();
  cas(w.authority, 1, 0, led_by(w.self, 1, {w.self}));
  CHECK(hints.wait_past(before, 5s));

  before = hints.now();
  auto with_address = profile("c", 3);
  with_address.address = "10.0.0.3:4000";
  with_address.start = numbered(77);
  enter(w.authority, with_address);
  with_address.is_confirmed = true;  // from here on it may be spoken to
  enter(w.authority, with_address);
  CHECK(hints.wait_past(before, 5s));
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  std::string address;
  while (address.empty() && std::chrono::steady_clock::now() < deadline) {
    const auto nodes = read_nodes(other);
    REQUIRE(nodes.ok);
    for (const auto& n : nodes.nodes)
      if (n.name == "c") address = n.address;
  }
  CHECK(address == "10.0.0.3:4000");
}

TEST_CASE("etcd authority: without a watch the interval finds the change") {
  one_node w;
  cutting_proxy proxy{w.server.port(), "/v3/watch"};
  auto o = options(w.server);
  o.endpoints = {proxy.endpoint()};
  o.hint_interval = 50ms;
  etcd_authority other{o};
  call_count hints;
  other.on_hint([&] { hints(); });
  for (auto seen = hints.now(); hints.wait_past(seen, 500ms);) seen = hints.now();
  const auto before = hints.now();
  cas(w.authority, 1, 0, led_by(w.self, 1, {w.self}));
  CHECK(hints.wait_past(before, 5s));
}
