#include <doctest/doctest.h>

#include <set>

#include "cluster/authority/etcd/etcd_authority.hpp"
#include "test/integration/authority/authority_fixture.hpp"
#include "test/integration/authority/cutting_proxy.hpp"
#include "test/integration/authority/etcd_process.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using etcd::etcd_authority;

namespace {

etcd::etcd_options options(const std::string& endpoint) {
  etcd::etcd_options o;
  o.endpoints = {endpoint};
  o.cluster = "test";
  return o;
}

}  // namespace

TEST_CASE("registration: a name keeps its number and each start is a later run") {
  etcd_process server;
  etcd_authority authority{options(server.endpoint())};
  const auto a1 = enter(authority, profile("a", 1));
  const auto b1 = enter(authority, profile("b", 2));
  const auto a2 = enter(authority, profile("a", 1));
  REQUIRE(a1.outcome == registration_outcome::registered);
  CHECK(a1.self.node == node_id{1});
  CHECK(b1.self.node == node_id{2});
  CHECK(a2.self.node == node_id{1});
  CHECK(a1.self.run < b1.self.run);
  CHECK(b1.self.run < a2.self.run);
  CHECK_FALSE(a1.cluster.is_nil());
  CHECK(b1.cluster == a1.cluster);
  CHECK_FALSE(a2.disk_is_new);

  const auto nodes = read_nodes(authority);
  REQUIRE(nodes.ok);
  REQUIRE(nodes.nodes.size() == 2);
  CHECK(nodes.nodes[0].name == "a");
  CHECK(nodes.nodes[0].latest == a2.self);
  CHECK(nodes.nodes[1].latest == b1.self);
  CHECK(nodes.nodes[1].disk == numbered(2));
}

TEST_CASE("registration: another disk under the same name is said to be new") {
  etcd_process server;
  etcd_authority authority{options(server.endpoint())};
  CHECK_FALSE(enter(authority, profile("a", 1)).disk_is_new);
  CHECK(enter(authority, profile("a", 2)).disk_is_new);
  CHECK_FALSE(enter(authority, profile("a", 2)).disk_is_new);
}

TEST_CASE(
    "registration: a disk that has missed a start of its node is refused, one that died half way is not") {
  etcd_process server;
  etcd_authority authority{options(server.endpoint())};
  uuid cluster;
  const auto start = [&](std::uint64_t disk, std::uint64_t nonce, std::optional<uuid> last) {
    auto self = profile("a", disk);
    self.cluster = last ? cluster : uuid{};  // a new directory belongs to none yet
    self.start = numbered(nonce);
    self.last_start = last;
    const auto result = enter(authority, self);
    if (result.outcome == registration_outcome::registered) cluster = result.cluster;
    return result;
  };
  const auto is_in = [](const registration_result& r) {
    return r.outcome == registration_outcome::registered;
  };
  const auto first = start(1, 101, std::nullopt);
  REQUIRE(is_in(first));
  // The process died before it knew, and the next one asks in the same name: it is the same run.
  CHECK(start(1, 101, uuid{}).self == first.self);
  const auto second = start(1, 102, numbered(101));
  REQUIRE(is_in(second));
  // The copy was made when 101 was the last one.
  const auto old = start(1, 103, numbered(101));
  CHECK(old.outcome == registration_outcome::refused);
  CHECK(old.error.find("is an older copy, or another one has been in its place") != std::string::npos);
  CHECK(read_nodes(authority).nodes.at(0).latest == second.self);
  REQUIRE(is_in(start(1, 104, numbered(102))));
  // Replaced by an empty one, which goes on; then the first one is put back.
  const auto fresh = start(2, 201, std::nullopt);
  REQUIRE(is_in(fresh));
  CHECK(fresh.disk_is_new);
  REQUIRE(is_in(start(2, 202, numbered(201))));
  CHECK(start(1, 105, numbered(104)).outcome == registration_outcome::refused);
  auto trusted = profile("a", 1);
  trusted.cluster = cluster;
  trusted.start = numbered(106);
  trusted.last_start = numbered(104);
  trusted.is_trusted = true;
  CHECK(is_in(enter(authority, trusted)));
  CHECK(start(2, 203, numbered(202)).outcome == registration_outcome::refused);
}

TEST_CASE("registration: a copy made while a start was pending is refused once that start has spoken") {
  etcd_process server;
  etcd_authority authority{options(server.endpoint())};
  auto self = profile("a", 1);
  self.start = numbered(101);
  self.last_start = uuid{};
  const auto first = enter(authority, self);
  REQUIRE(first.outcome == registration_outcome::registered);
  self.cluster = first.cluster;
  // Died before its disk knew; the copy is made now. The next process takes the start again, however often.
  CHECK(enter(authority, self).self == first.self);
  CHECK(enter(authority, self).self == first.self);
  const auto copy = self;
  self.is_confirmed = true;
  self.process = numbered(1);
  for (int i = 0; i < 3; ++i) {  // its own answer may get lost, too
    const auto confirmed = enter(authority, self);
    CHECK(confirmed.outcome == registration_outcome::registered);
    CHECK(confirmed.self == first.self);
  }
  // A copy of the disk in another process, both of which have come so far: one of them may speak.
  auto twin = self;
  twin.process = numbered(2);
  CHECK(enter(authority, twin).outcome == registration_outcome::refused);
  const auto old = enter(authority, copy);
  CHECK(old.outcome == registration_outcome::refused);
  CHECK(old.error.find("is an older copy, or another one has been in its place") != std::string::npos);
  // The disk that knows goes on.
  auto next = profile("a", 1);
  next.cluster = first.cluster;
  next.start = numbered(102);
  next.last_start = numbered(101);
  const auto second = enter(authority, next);
  REQUIRE(second.outcome == registration_outcome::registered);
  CHECK(first.self < second.self);
  // Who was replaced before it had spoken must not speak.
  const auto late = enter(authority, self);
  CHECK(late.outcome == registration_outcome::refused);
  CHECK(late.error == "another process has been started as the node a meanwhile");
  CHECK(enter(authority, next).self == second.self);
}

TEST_CASE("registration: of processes that confirm one start at the same moment one may speak") {
  etcd_process server;
  std::vector<std::unique_ptr<etcd_authority>> authorities;
  for (int i = 0; i < 6; ++i)
    authorities.push_back(std::make_unique<etcd_authority>(options(server.endpoint())));
  auto self = profile("a", 1);
  for (std::uint64_t round = 0; round < 10; ++round) {
    CAPTURE(round);
    self.start = numbered(1000 + round);
    self.last_start = round == 0 ? uuid{} : numbered(999 + round);
    self.is_confirmed = false;
    const auto pending = enter(*authorities[0], self);
    REQUIRE(pending.outcome == registration_outcome::registered);
    self.cluster = pending.cluster;
    self.is_confirmed = true;
    std::vector<std::promise<registration_result>> answers(authorities.size());
    for (std::size_t i = 0; i < authorities.size(); ++i) {
      self.process = numbered(i + 1);
      authorities[i]->register_node(self,
                                    [&, i](registration_result r) { answers[i].set_value(std::move(r)); });
    }
    int may_speak = 0;
    for (auto& answer : answers)
      may_speak += answer.get_future().get().outcome == registration_outcome::registered ? 1 : 0;
    CHECK(may_speak == 1);
  }
}

TEST_CASE("registration: nodes that start at once get different numbers and one cluster") {
  etcd_process server;
  std::vector<std::unique_ptr<etcd_authority>> authorities;
  std::vector<std::promise<registration_result>> answers(8);
  for (std::size_t i = 0; i < answers.size(); ++i)
    authorities.push_back(std::make_unique<etcd_authority>(options(server.endpoint())));
  for (std::size_t i = 0; i < answers.size(); ++i)
    authorities[i]->register_node(profile("n" + std::to_string(i), i),
                                  [&, i](registration_result r) { answers[i].set_value(std::move(r)); });
  std::set<node_id> numbers;
  std::set<uuid> clusters;
  for (auto& answer : answers) {
    const auto r = answer.get_future().get();
    REQUIRE_MESSAGE(r.outcome == registration_outcome::registered, r.error);
    numbers.insert(r.self.node);
    clusters.insert(r.cluster);
  }
  CHECK(numbers.size() == answers.size());
  CHECK(clusters.size() == 1);
}

TEST_CASE("registration: who does not belong here is refused in plain words and leaves no trace") {
  etcd_process server;
  etcd_authority authority{options(server.endpoint())};
  const auto first = enter(authority, profile("a", 1));

  auto other_count = profile("b", 2);
  other_count.shard_count = 16;
  const auto refused_count = enter(authority, other_count);
  CHECK(refused_count.outcome == registration_outcome::refused);
  CHECK(refused_count.error == "the cluster was made with 64 shards, not 16; the count never changes");

  auto other_cluster = profile("b", 2);
  other_cluster.cluster = numbered(77);
  CHECK(enter(authority, other_cluster).outcome == registration_outcome::refused);

  CHECK(enter(authority, profile("B/../x", 2)).outcome == registration_outcome::refused);

  auto lost_cluster_options = options(server.endpoint());
  lost_cluster_options.cluster = "empty";
  etcd_authority empty{lost_cluster_options};
  auto homeless = profile("a", 1);
  homeless.cluster = first.cluster;
  const auto refused_empty = enter(empty, homeless);
  CHECK(refused_empty.outcome == registration_outcome::refused);
  CHECK(refused_empty.error.find("the authority has none under /f/empty/") != std::string::npos);

  const auto nodes = read_nodes(authority);
  REQUIRE(nodes.nodes.size() == 1);
  CHECK(nodes.nodes[0].name == "a");
  CHECK(read_nodes(empty).nodes.empty());
}

TEST_CASE("registration: while a node is there that speaks another protocol nobody else gets in") {
  etcd_process server;
  etcd_authority authority{options(server.endpoint())};
  auto older = profile("a", 1);
  older.protocol = 5;
  older.address = "10.0.0.1:4000";
  older.start = numbered(77);
  enter(authority, older);
  older.is_confirmed = true;
  REQUIRE(enter(authority, older).outcome == registration_outcome::registered);
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  auto nodes = read_nodes(authority).nodes;
  while (!nodes.front().is_present() && std::chrono::steady_clock::now() < deadline)
    nodes = read_nodes(authority).nodes;
  CHECK(nodes.front().protocol == 5);

  auto newer = profile("b", 2);
  newer.protocol = 6;
  const auto refused = enter(authority, newer);
  CHECK(refused.outcome == registration_outcome::refused);
  CHECK(refused.error.starts_with("the node a is there and speaks protocol 5, this one 6: "));
  CHECK(read_nodes(authority).nodes.size() == 1);
  newer.protocol = 5;
  CHECK(enter(authority, newer).outcome == registration_outcome::registered);
  // Its own place it may take; and of one that does not say what it speaks connections tell.
  auto replaced = profile("a", 1);
  replaced.protocol = 6;
  CHECK(enter(authority, replaced).outcome == registration_outcome::registered);
  CHECK(enter(authority, profile("c", 3)).outcome == registration_outcome::registered);
}

TEST_CASE("registration: a lost answer makes no second run when its own record shows that it was done") {
  etcd_process server;
  cutting_proxy proxy{server.port()};
  etcd_authority direct{options(server.endpoint())};
  const auto before = enter(direct, profile("a", 1));
  auto o = options(proxy.endpoint());
  etcd_authority authority{o};
  proxy.cut_answers_to("/v3/kv/txn", 1);
  const auto result = enter(authority, profile("a", 2));
  CHECK(proxy.answers_cut() == 1);
  REQUIRE_MESSAGE(result.outcome == registration_outcome::registered, result.error);
  CHECK(result.self.node == before.self.node);
  CHECK(result.self.run == before.self.run + 1);  // nothing else has been written
  CHECK(result.disk_is_new);
  CHECK(read_nodes(direct).nodes.at(0).latest == result.self);
}
