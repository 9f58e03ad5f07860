#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "cluster/authority/fresh_uuid.hpp"
#include "cluster/front/cluster_front.hpp"
#include "cluster/node/cluster_node.hpp"
#include "cluster/node/identity.hpp"
#include "runtime/store/directory.hpp"
#include "test/integration/authority/authority_fixture.hpp"
#include "test/integration/authority/etcd_process.hpp"
#include "test/integration/runtime/toy_kinds.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

const kind_registry kinds{{describe_kind<counter::kind>()}};

/// Can hold up everybody who asks: a node asks between listening and being open.
class held_clock final : public clock_source {
 public:
  timestamp wall() const override {
    pass();
    return real_.wall();
  }
  std::chrono::steady_clock::time_point steady() const override {
    pass();
    return real_.steady();
  }
  void hold() { set(true); }
  void let_go() { set(false); }

 private:
  void pass() const {
    std::unique_lock lock{mutex_};
    let_go_.wait(lock, [this] { return !is_held_; });
  }
  void set(bool is_held) {
    const std::lock_guard lock{mutex_};
    is_held_ = is_held;
    let_go_.notify_all();
  }
  system_clock real_;
  mutable std::mutex mutex_;
  mutable std::condition_variable let_go_;
  bool is_held_ = false;  // guarded by mutex_
};

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&where), size) == 0);
  REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) == 0);
  ::close(fd);
  return ntohs(where.sin_port);
}

etcd::etcd_options authority_of(const etcd_process& server) {
  etcd::etcd_options out;
  out.endpoints = {server.endpoint()};
  out.cluster = "test";
  return out;
}

/// The only node of a cluster whose shards have one copy.
struct lonely_cluster {
  etcd_process server;
  temporary_directory directory;
  std::uint16_t port = free_port();
  std::uint32_t replicas = 1;
  std::chrono::milliseconds found_after{0};
  std::atomic<int> superseded{0};
  held_clock clock;
  std::unique_ptr<cluster_node> node;

  auto try_to_start() { return try_to_start_in(directory.path(), port); }
  std::variant<std::unique_ptr<cluster_node>, store_error> try_to_start_in(const std::string& where,
                                                                           std::uint16_t at_port) {
    cluster_node_options options;
    options.runtime.data_directory = where;
    options.runtime.shard_count = 2;
    options.authority = authority_of(server);
    options.name = "n1";
    options.transport.port = at_port;
    options.replicas = replicas;
    options.found_after = found_after;
    options.on_superseded = [this] {
      ++superseded;
      superseded.notify_all();
    };
    return cluster_node::start(std::move(options), kinds, clock);
  }
  void start() {
    auto started = try_to_start();
    if (const auto* fault = std::get_if<store_error>(&started)) FAIL(fault->message);
    node = std::move(std::get<std::unique_ptr<cluster_node>>(started));
  }
  std::string refusal() {
    auto started = try_to_start();
    const auto* fault = std::get_if<store_error>(&started);
    return fault != nullptr ? fault->message : std::string{};
  }
  void restart() {
    node.reset();
    start();
  }
};

/// A front, and one thread that speaks through it.
class caller {
 public:
  explicit caller(const etcd_process& server) {
    cluster_front_options options;
    options.authority = authority_of(server);
    auto started = cluster_front::start(std::move(options));
    if (const auto* fault = std::get_if<std::string>(&started)) FAIL(*fault);
    front_ = std::move(std::get<std::unique_ptr<cluster_front>>(started));
    port_ = front_->make_port([this] {
      const std::lock_guard lock{mutex_};
      is_woken_ = true;
      woken_.notify_one();
    });
  }
  ~caller() { port_.reset(); }
  caller(const caller&) = delete;
  caller& operator=(const caller&) = delete;

  reply add_one(const std::string& key) {
    command what;
    what.target = {counter::kind::options.id, key};
    what.message = counter::kind::number_of<counter::add>();
    what.body = encode(counter::add{1});
    what.deadline = std::chrono::steady_clock::now() + 20s;
    std::optional<reply> got;
    port_->submit(std::move(what), [&](reply&& r) { got = std::move(r); });
    port_->flush();
    while (!got) {
      std::unique_lock lock{mutex_};
      woken_.wait_for(lock, 100ms, [&] { return is_woken_; });
      is_woken_ = false;
      lock.unlock();
      port_->drain();
      port_->expire(std::chrono::steady_clock::now());
    }
    return *got;
  }

 private:
  std::mutex mutex_;
  std::condition_variable woken_;
  bool is_woken_ = false;  // guarded by mutex_
  std::unique_ptr<cluster_front> front_;
  std::unique_ptr<command_port> port_;
};

/// A process that says what it likes.
struct liar final : transport_listener {
  void on_hello(const hello&) override { connected(); }
  void on_word(const hello&, wire::word what, std::string_view) override {
    if (what == wire::word::reply) replied();
  }
  void on_lost(const hello&) override {}
  call_count connected;
  call_count replied;
};

hello hello_of_a_front(const lonely_cluster& cluster) {
  etcd::etcd_authority authority{authority_of(cluster.server)};
  hello out;
  out.cluster = read_nodes(authority).cluster;
  out.shard_count = 2;
  out.role = process_role::front;
  out.who = {node_id{77}, 1};
  out.name = "liar";
  return out;
}

}  // namespace

TEST_CASE("cluster node: what a front asks while the only node is started again is answered") {
  lonely_cluster cluster;
  cluster.start();
  caller client{cluster.server};
  REQUIRE(client.add_one("first").status == reply_status::ok);
  std::atomic<bool> is_over{false};
  std::atomic<std::uint64_t> answered{0};
  std::chrono::steady_clock::duration longest{};
  std::thread asks{[&] {
    for (int i = 0; !is_over; ++i) {
      const auto began = std::chrono::steady_clock::now();
      CHECK(client.add_one("key" + std::to_string(i % 16)).status == reply_status::ok);
      longest = std::max(longest, std::chrono::steady_clock::now() - began);
      ++answered;
    }
  }};
  for (int life = 0; life < 8; ++life) {
    cluster.restart();
    const auto before = answered.load();
    while (answered < before + 3) std::this_thread::yield();
  }
  is_over = true;
  asks.join();
  CHECK(longest < 10s);  // not at its deadline
}

TEST_CASE("cluster node: a command that comes before the node is open waits for that") {
  lonely_cluster cluster;
  cluster.start();
  const auto to = cluster.node->self().node;
  const auto self = hello_of_a_front(cluster);
  cluster.node.reset();
  liar listener;
  transport link{{}, self, listener};
  link.connect_to({{to, "127.0.0.1:" + std::to_string(cluster.port)}});

  cluster.clock.hold();
  std::thread starts{[&] { cluster.start(); }};
  const bool is_connected = listener.connected.wait_past(0, answer_max);
  wire::shard_command asks;
  asks.shard = shard_of({counter::kind::options.id, "a"}, 2);
  asks.what.target = {counter::kind::options.id, "a"};
  asks.what.message = counter::kind::number_of<counter::add>();
  asks.what.body = encode(counter::add{1});
  asks.what.deadline = std::chrono::steady_clock::now() + 60s;
  std::string bytes;
  wire::encode(bytes, asks, std::chrono::steady_clock::now());
  CHECK(link.send(to, wire::word::command, bytes));
  while (is_connected && link.figures().words_sent < 1) std::this_thread::yield();
  cluster.clock.let_go();
  starts.join();
  REQUIRE(is_connected);
  CHECK(listener.replied.wait_past(0, answer_max));
}

TEST_CASE("cluster node: a word that is damaged, or is not its sender's to say, is refused and counted") {
  lonely_cluster cluster;
  cluster.start();
  liar listener;
  transport link{{}, hello_of_a_front(cluster), listener};
  link.connect_to({{cluster.node->self().node, "127.0.0.1:" + std::to_string(cluster.port)}});
  REQUIRE(listener.connected.wait_past(0, answer_max));

  const auto to = cluster.node->self().node;
  std::string config;
  wire::encode(config, stored_config{0, 99, led_by(cluster.node->self(), 9, {cluster.node->self()})});
  REQUIRE(link.send(to, wire::word::command, "no command"));
  REQUIRE(link.send(to, wire::word::replication, "no frame"));
  REQUIRE(link.send(to, wire::word::config, config));  // sound, and a node's to say
  REQUIRE(link.send(to, wire::word::reply, "nodes ask nobody"));
  while (cluster.node->refusals().words < 4) std::this_thread::yield();
  CHECK(cluster.node->refusals().words == 4);
  CHECK(cluster.node->refusals().authority == 0);
  caller client{cluster.server};
  CHECK(client.add_one("a").status == reply_status::ok);
}

namespace {

/// Waits until the node gives such a reason, or none for nullptr.
bool comes_to_say(const cluster_node& node, const char* what) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < until) {
    const auto why = node.not_ready();
    const bool is_said = std::any_of(why.begin(), why.end(), [&](const std::string& one) {
      return what != nullptr && one.find(what) != std::string::npos;
    });
    if (what == nullptr ? why.empty() : is_said) return true;
    std::this_thread::yield();
  }
  return false;
}

identity identity_in(const temporary_directory& directory) {
  return std::get<identity>(load_identity(directory.path(), "n1"));
}

/// All but whose directory it is.
void remove_data(const temporary_directory& directory) {
  for (const auto& file : std::filesystem::directory_iterator{directory.path()})
    if (file.path().filename() != "member") std::filesystem::remove_all(file.path());
}

void copy_data(const temporary_directory& from, const temporary_directory& to) {
  remove_data(to);
  for (const auto& file : std::filesystem::directory_iterator{from.path()})
    if (file.path().filename() != "member")
      std::filesystem::copy(file.path(), to.path() + "/" + file.path().filename().string(),
                            std::filesystem::copy_options::recursive);
}

/// A start that ends when it has opened its store, and before anybody knows of it.
void open_store_only(const temporary_directory& directory) {
  store_options options;
  options.directory = directory.path();
  options.shard_count = 2;
  REQUIRE(std::holds_alternative<std::unique_ptr<store>>(store::open(options)));
}

}  // namespace

TEST_CASE("cluster node: a store made anew under the identity of an older one counts as a new disk") {
  for (const int failed_starts : {0, 1, 2}) {
    CAPTURE(failed_starts);
    lonely_cluster cluster;
    cluster.start();
    REQUIRE(comes_to_say(*cluster.node, nullptr));
    const auto first = identity_in(cluster.directory);
    CHECK(first.disk_since == cluster.node->self().run);
    cluster.restart();
    REQUIRE(comes_to_say(*cluster.node, nullptr));
    CHECK(identity_in(cluster.directory).disk_since == first.disk_since);
    cluster.node.reset();
    remove_data(cluster.directory);
    for (int i = 0; i < failed_starts; ++i) open_store_only(cluster.directory);
    cluster.start();
    CHECK(identity_in(cluster.directory).disk_since == cluster.node->self().run);
    CHECK(comes_to_say(*cluster.node, "nobody serves shards 0, 1"));
  }
}

TEST_CASE("cluster node: one that ended before its replicas wrote anything serves what it had founded") {
  lonely_cluster cluster;
  cluster.replicas = 2;  // so it waits for another one, and founds nothing
  cluster.start();
  REQUIRE(comes_to_say(*cluster.node, "waits for enough nodes"));
  cluster.node.reset();
  const temporary_directory unwritten;
  copy_data(cluster.directory, unwritten);
  cluster.replicas = 1;
  cluster.start();
  REQUIRE(comes_to_say(*cluster.node, nullptr));
  cluster.node.reset();
  copy_data(unwritten, cluster.directory);
  cluster.start();
  caller client{cluster.server};
  CHECK(client.add_one("a").status == reply_status::ok);
}

TEST_CASE("cluster node: a store beside the identity of another directory is refused") {
  lonely_cluster cluster;
  cluster.start();
  cluster.node.reset();
  lonely_cluster other;
  other.start();
  other.node.reset();
  copy_data(other.directory, cluster.directory);
  const auto fault = cluster.refusal();
  CHECK(fault.find("the store of another directory") != std::string::npos);
}

TEST_CASE(
    "cluster node: a first start that fails leaves nothing that an older troupe would take for damage") {
  const temporary_directory directory;
  open_store_only(directory);
  const auto format = directory.path() + "/FORMAT";
  std::ofstream{format} << "troupe data format 4\nshards 2\n";
  cluster_node_options options;
  options.runtime.data_directory = directory.path();
  options.runtime.shard_count = 2;
  options.authority.endpoints = {"http://127.0.0.1:" + std::to_string(free_port())};
  options.authority.cluster = "test";
  options.name = "n1";
  options.is_asked_to_end = [] { return true; };
  const system_clock clock;
  REQUIRE(std::holds_alternative<store_error>(cluster_node::start(std::move(options), kinds, clock)));
  REQUIRE(std::filesystem::exists(directory.path() + "/member"));
  std::string first;
  std::getline(std::ifstream{format} >> std::ws, first);
  CHECK(first == "troupe data format " + std::to_string(data_format));
}

TEST_CASE("cluster node: one that another process has taken the place of says so, and does not hand over") {
  lonely_cluster cluster;
  cluster.start();
  REQUIRE(comes_to_say(*cluster.node, nullptr));
  CHECK(cluster.superseded == 0);
  const temporary_directory elsewhere;
  auto started = cluster.try_to_start_in(elsewhere.path(), free_port());
  REQUIRE(std::holds_alternative<std::unique_ptr<cluster_node>>(started));
  REQUIRE(comes_to_say(*cluster.node, "another process has been started as this node"));
  CHECK(cluster.node->is_superseded());
  cluster.superseded.wait(0);  // the node says so before it calls
  CHECK(cluster.superseded == 1);
  CHECK_FALSE(std::get<std::unique_ptr<cluster_node>>(started)->is_superseded());
  CHECK(cluster.node->stop(10s).kept == 0);
}

TEST_CASE("cluster node: while others are there and none of them can be reached, it is not ready") {
  lonely_cluster cluster;
  cluster.start();
  REQUIRE(comes_to_say(*cluster.node, nullptr));
  etcd::etcd_authority authority{authority_of(cluster.server)};
  auto deaf = profile("deaf", 2);
  deaf.shard_count = 2;
  deaf.address = "127.0.0.1:" + std::to_string(free_port());
  deaf.start = fresh_uuid();
  REQUIRE(enter(authority, deaf).outcome == registration_outcome::registered);
  deaf.is_confirmed = true;
  REQUIRE(enter(authority, deaf).outcome == registration_outcome::registered);
  CHECK(comes_to_say(*cluster.node, "no other node can be reached"));
}
