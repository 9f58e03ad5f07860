#include <doctest/doctest.h>

#include <deque>

#include "cluster/routing/cluster_view.hpp"

using namespace troupe;
using std::chrono::milliseconds;

namespace {

constexpr std::chrono::seconds answer_max{20};
constexpr member first{node_id{1}, 5};
constexpr member second{node_id{2}, 6};

stored_config led_by(member who, std::uint64_t revision) {
  stored_config out;
  out.shard = 1;
  out.revision = revision;
  out.config.epoch = revision;
  out.config.primary = who;
  out.config.in_sync = {who};
  out.config.replicas = {who.node};
  return out;
}

known_node node_named(const std::string& name, member who, const std::string& address) {
  known_node out;
  out.name = name;
  out.latest = who;
  out.address = address;
  return out;
}

/// Answers when the test says so.
struct told : authority, membership {
  void read_all(std::function<void(read_result)> done) override {
    const std::lock_guard lock{mutex};
    reads.push_back(std::move(done));
    came.notify_all();
  }
  void cas(shard_id, std::uint64_t, const shard_config&, std::function<void(cas_result)>) override {
    FAIL("a view writes nothing");
  }
  void on_hint(std::function<void()> changed) override {
    const std::lock_guard lock{mutex};
    hint = std::move(changed);
  }
  void register_node(const node_profile&, std::function<void(registration_result)>) override {
    FAIL("a view registers nobody");
  }
  void read_nodes(std::function<void(nodes_result)> done) override {
    const std::lock_guard lock{mutex};
    node_reads.push_back(std::move(done));
    came.notify_all();
  }

  /// The oldest open look gets its answers; waits until there is one.
  void answer(const std::vector<stored_config>& configs, const std::vector<known_node>& nodes) {
    auto [read, read_nodes] = take_look();
    read({.ok = true, .configs = configs, .error = {}});
    nodes_result found;
    found.ok = true;
    found.nodes = nodes;
    read_nodes(std::move(found));
  }
  std::pair<std::function<void(read_result)>, std::function<void(nodes_result)>> take_look() {
    std::unique_lock lock{mutex};
    REQUIRE(came.wait_for(lock, answer_max, [this] { return !reads.empty() && !node_reads.empty(); }));
    auto out = std::pair{std::move(reads.front()), std::move(node_reads.front())};
    reads.pop_front();
    node_reads.pop_front();
    return out;
  }
  std::size_t open_looks() {
    const std::lock_guard lock{mutex};
    return reads.size();
  }

  std::mutex mutex;
  std::condition_variable came;
  std::deque<std::function<void(read_result)>> reads;
  std::deque<std::function<void(nodes_result)>> node_reads;
  std::function<void()> hint;
};

/// What the view has told, one look after the other.
struct looks {
  void add(const cluster_view::look& one) {
    const std::lock_guard lock{mutex};
    all.push_back(one);
    came.notify_all();
  }
  cluster_view::look wait_for(std::size_t number) {
    std::unique_lock lock{mutex};
    REQUIRE(came.wait_for(lock, answer_max, [&] { return all.size() >= number; }));
    return all[number - 1];
  }
  std::mutex mutex;
  std::condition_variable came;
  std::vector<cluster_view::look> all;
};

cluster_view_options patient() {
  return {
      .interval = milliseconds{60'000}, .interval_min = milliseconds{1}, .patience = milliseconds{60'000}};
}

}  // namespace

TEST_CASE("cluster view: a look teaches the map, and says who is there and whether a primary has moved") {
  told from;
  shard_map map{4};
  looks seen;
  cluster_view view{from, from, map, [&](const auto& one) { seen.add(one); }, patient()};
  CHECK_FALSE(view.is_current());
  view.start();
  from.answer({led_by(first, 10)}, {node_named("a", first, "127.0.0.1:1"), node_named("gone", second, "")});
  const auto once = seen.wait_for(1);
  CHECK(once.is_complete);
  CHECK(once.has_moved);
  CHECK(once.nodes.size() == 2);
  CHECK(map.primary_of(1) == first.node);

  from.hint();
  from.answer({led_by(second, 11)}, {});
  CHECK(seen.wait_for(2).has_moved);
  CHECK(map.primary_of(1) == second.node);

  // An authority that was set back is not believed.
  view.refresh();
  from.answer({led_by(first, 10)}, {});
  CHECK_FALSE(seen.wait_for(3).has_moved);
  CHECK(map.primary_of(1) == second.node);
}

TEST_CASE("cluster view: who asks during a look gets one more look, however many ask") {
  told from;
  shard_map map{4};
  looks seen;
  cluster_view view{from, from, map, [&](const auto& one) { seen.add(one); }, patient()};
  view.start();
  auto [read, read_nodes] = from.take_look();
  for (int i = 0; i < 100; ++i) view.refresh();
  CHECK(from.open_looks() == 0);
  read({.ok = true, .configs = {}, .error = {}});
  nodes_result nobody;
  nobody.ok = true;
  read_nodes(nobody);
  from.answer({}, {});
  seen.wait_for(2);
  CHECK(view.is_current());
  CHECK(from.open_looks() == 0);
}

TEST_CASE("cluster view: while the authority is away what was known stays, and late answers do no harm") {
  told from;
  shard_map map{4};
  looks seen;
  auto how = patient();
  how.patience = milliseconds{500};
  auto view = std::make_unique<cluster_view>(
      from, from, map, [&](const auto& one) { seen.add(one); }, how);
  view->start();
  const auto late = from.take_look();  // no answer within its patience
  CHECK_FALSE(seen.wait_for(1).is_complete);
  CHECK_FALSE(view->is_current());
  view->refresh();
  from.answer({led_by(first, 10)}, {});
  seen.wait_for(2);
  view->refresh();
  auto [read, read_nodes] = from.take_look();
  read({.ok = false, .configs = {}, .error = "away"});
  read_nodes({});
  CHECK_FALSE(seen.wait_for(3).is_complete);
  CHECK(map.primary_of(1) == first.node);
  late.first({.ok = true, .configs = {led_by(second, 99)}, .error = {}});
  CHECK(map.primary_of(1) == first.node);
  view.reset();
  late.second({});
}

TEST_CASE("address book: who has copies is kept in touch with when its lease has lapsed, others are not") {
  address_book book;
  const auto at = [](const member& who, const char* address) { return node_named("n", who, address); };
  const member third{node_id{3}, 1};
  auto led = led_by(first, 10);
  led.config.replicas = {first.node, second.node};
  led.config.in_sync = {first, second};
  const std::vector<stored_config> shards{led};
  using addresses = std::vector<node_address>;
  const addresses all{
      {first.node, "a:1", first.run}, {second.node, "b:1", second.run}, {third.node, "c:1", 1}};
  CHECK(book.learn({at(first, "a:1"), at(second, "b:1"), at(third, "c:1")}, shards) == all);
  // The authority does not hear of anybody any more.
  const addresses held{{first.node, "a:1", first.run}, {second.node, "b:1", second.run}};
  CHECK(book.learn({at(first, ""), at(second, ""), at(third, "")}, shards) == held);
  CHECK(book.learn({}, shards) == held);
  // Another address is the better one, and who has no copies any more is let go.
  led.config.replicas = {first.node};
  led.config.in_sync = {first};
  CHECK(book.learn({at(first, "a:2"), at(second, "")}, {led}) == addresses{{first.node, "a:2", first.run}});
}
