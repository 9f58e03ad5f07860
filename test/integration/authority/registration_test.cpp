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

TEST_CASE("registration: an older copy of a disk is refused, and a start that died half way is not one") {
  etcd_process server;
  etcd_authority authority{options(server.endpoint())};
  const auto start = [&](std::uint64_t nonce, std::optional<std::vector<uuid>> earlier) {
    auto self = profile("a", 1);
    self.start = numbered(nonce);
    self.earlier_starts = std::move(earlier);
    return enter(authority, self);
  };
  const auto first = start(101, std::vector<uuid>{});
  REQUIRE(first.outcome == registration_outcome::registered);
  // The same process asks again: its own start is not another one's.
  CHECK(start(101, std::vector<uuid>{}).self == first.self);
  const auto second = start(102, std::vector{numbered(101)});
  REQUIRE(second.outcome == registration_outcome::registered);
  // The copy was made when 101 was the last one.
  const auto old = start(103, std::vector{numbered(101)});
  CHECK(old.outcome == registration_outcome::refused);
  CHECK(old.error.find("is an older copy of this node's") != std::string::npos);
  CHECK(read_nodes(authority).nodes.at(0).latest == second.self);
  // 102 was registered, and its process died before it could write that down.
  CHECK(start(104, std::vector{numbered(101), numbered(102)}).outcome == registration_outcome::registered);
  // A directory of before starts were kept, and another disk.
  CHECK(start(105, std::nullopt).outcome == registration_outcome::registered);
  auto other = profile("a", 2);
  other.earlier_starts = std::vector<uuid>{};
  CHECK(enter(authority, other).disk_is_new);
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
