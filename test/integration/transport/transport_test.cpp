#include "cluster/transport/transport.hpp"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>

using namespace troupe;
using wire::word;

namespace {

/// Keeps what a transport tells, and lets a test wait for it with a deadline.
class listening final : public transport_listener {
 public:
  void on_hello(const hello& who) override {
    note([&] { hellos.push_back(who); });
  }
  void on_word(const hello& who, word, std::string_view bytes) override {
    note([&] {
      words.emplace_back(bytes);
      senders.push_back(who.name);
    });
  }
  void on_lost(const hello& who) override {
    note([&] { lost.push_back(who); });
  }
  template <class Condition>
  bool wait(Condition holds) {
    std::unique_lock lock{mutex_};
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    // Looks again by itself: figures change without a word to the listener.
    while (!holds() && std::chrono::steady_clock::now() < until)
      changed_.wait_for(lock, std::chrono::milliseconds{5});
    return holds();
  }

  std::vector<hello> hellos, lost;
  std::vector<std::string> words, senders;

 private:
  template <class Change>
  void note(Change change) {
    const std::lock_guard lock{mutex_};
    change();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
};

hello node_hello(std::uint32_t number, std::uint64_t run = 7) {
  hello out;
  out.cluster = *uuid_from_bytes("0123456789abcdef");
  out.shard_count = 4;
  out.who = {node_id{number}, run};
  out.name = "node" + std::to_string(number);
  return out;
}

struct process {
  listening heard;
  transport links;
  explicit process(const hello& self, transport_options options = {})
      : links(std::move(options), self, heard) {}
  node_address at(std::uint32_t number) const {
    return {node_id{number}, "127.0.0.1:" + std::to_string(links.port())};
  }
};

}  // namespace

TEST_CASE("transport: nodes that reach each other talk in both directions, in order") {
  process a{node_hello(1)};
  process b{node_hello(2)};
  a.links.connect_to({a.at(1), b.at(2)});
  b.links.connect_to({a.at(1), b.at(2)});
  REQUIRE(a.heard.wait([&] { return a.heard.hellos.size() >= 2; }));
  REQUIRE(b.heard.wait([&] { return b.heard.hellos.size() >= 2; }));
  constexpr std::size_t count = 5000;
  for (std::size_t i = 0; i < count; ++i) {
    REQUIRE(a.links.send(node_id{2}, word::replication, std::to_string(i)));
    REQUIRE(b.links.send(node_id{1}, word::replication, std::to_string(i)));
  }
  REQUIRE(b.heard.wait([&] { return b.heard.words.size() == count; }));
  REQUIRE(a.heard.wait([&] { return a.heard.words.size() == count; }));
  for (std::size_t i = 0; i < count; ++i) CHECK(b.heard.words[i] == std::to_string(i));
  CHECK(b.heard.senders.front() == "node1");
}

TEST_CASE("transport: more than may be under way arrives all the same, and a large word goes in parts") {
  transport_options small;
  small.in_flight_bytes_max = 10'000;
  small.message_bytes_max = 4'000;
  process a{node_hello(1), small};
  process b{node_hello(2), small};
  a.links.connect_to({b.at(2)});
  REQUIRE(a.heard.wait([&] { return !a.heard.hellos.empty(); }));
  const std::string large(3U << 20U, 'l');
  for (int i = 0; i < 100; ++i) REQUIRE(a.links.send(node_id{2}, word::parcels, std::string(1000, 's')));
  REQUIRE(a.links.send(node_id{2}, word::parcels, large));
  REQUIRE(a.links.send(node_id{2}, word::parcels, "last"));
  REQUIRE(b.heard.wait([&] { return b.heard.words.size() == 102; }));
  CHECK(b.heard.words[100] == large);
  CHECK(b.heard.words[101] == "last");
}

TEST_CASE("transport: without a connection nothing waits") {
  process a{node_hello(1)};
  CHECK_FALSE(a.links.send(node_id{2}, word::parcels, "nobody"));
  a.links.connect_to({{node_id{2}, "127.0.0.1:1"}});
  CHECK_FALSE(a.links.send(node_id{2}, word::parcels, "not yet"));
  CHECK(a.links.figures().dropped == 2);
}

TEST_CASE("transport: a front asks nodes and is answered on the connection that it made") {
  process a{node_hello(1)};
  auto front = node_hello(0, 99);
  front.role = process_role::front;
  front.who = {node_id{4711}, 99};
  front.name = "front";
  process f{front};
  f.links.connect_to({a.at(1)});
  REQUIRE(f.heard.wait([&] { return f.heard.hellos.size() == 1; }));
  REQUIRE(a.heard.wait([&] { return a.heard.hellos.size() == 1; }));
  CHECK(a.heard.hellos[0].role == process_role::front);
  REQUIRE(f.links.send(node_id{1}, word::command, "ask"));
  REQUIRE(a.heard.wait([&] { return a.heard.words.size() == 1; }));
  REQUIRE(a.links.send_to_front(front.who, word::reply, "answer"));
  REQUIRE(f.heard.wait([&] { return f.heard.words.size() == 1; }));
  CHECK(f.heard.words[0] == "answer");
  f.links.connect_to({});
  REQUIRE(a.heard.wait([&] { return a.heard.lost.size() == 1; }));
  CHECK_FALSE(a.links.send_to_front(front.who, word::reply, "gone"));
}

TEST_CASE("transport: a process of another cluster, another shard count or another number is refused") {
  process a{node_hello(1)};
  auto stranger = node_hello(2);
  stranger.cluster = *uuid_from_bytes("another cluster!");
  auto misfit = node_hello(3);
  misfit.shard_count = 8;
  process s{stranger};
  process m{misfit};
  process wrong{node_hello(4)};
  s.links.connect_to({a.at(1)});
  m.links.connect_to({a.at(1)});
  wrong.links.connect_to({a.at(9)});
  process good{node_hello(5)};
  good.links.connect_to({a.at(1)});
  REQUIRE(good.heard.wait([&] { return good.heard.hellos.size() == 1; }));
  REQUIRE(a.heard.wait([&] { return a.links.figures().refused >= 2 && wrong.links.figures().refused >= 1; }));
  CHECK(s.heard.hellos.empty());
  CHECK(m.heard.hellos.empty());
  CHECK(wrong.heard.hellos.empty());
}

TEST_CASE("transport: a node that ends is noticed, and the link comes back when it does") {
  process a{node_hello(1)};
  auto b = std::make_unique<process>(node_hello(2, 7));
  const auto port = b->links.port();
  a.links.connect_to({b->at(2)});
  REQUIRE(a.heard.wait([&] { return a.heard.hellos.size() == 1; }));
  b.reset();
  REQUIRE(a.heard.wait([&] { return a.heard.lost.size() == 1; }));
  CHECK_FALSE(a.links.send(node_id{2}, word::parcels, "gone"));
  transport_options same;
  same.port = port;
  b = std::make_unique<process>(node_hello(2, 8), same);
  REQUIRE(a.heard.wait([&] { return a.heard.hellos.size() == 2; }));
  CHECK(a.heard.hellos[1].who.run == 8);
  CHECK(a.links.send(node_id{2}, word::parcels, "again"));
  REQUIRE(b->heard.wait([&] { return b->heard.words.size() == 1; }));
}

TEST_CASE("transport: a link that waits dials at once when the other side is heard of") {
  transport_options slow;
  slow.retry_min = slow.retry_max = std::chrono::hours{1};
  for (const bool says_hello : {true, false}) {
    CAPTURE(says_hello);
    process a{node_hello(1), slow};
    // Its port is free again: nobody listens there.
    auto b = std::make_unique<process>(node_hello(2, 7));
    const auto there = b->at(2);
    transport_options same;
    same.port = b->links.port();
    a.links.connect_to({there});
    REQUIRE(a.heard.wait([&] { return a.heard.hellos.size() == 1; }));
    b.reset();
    REQUIRE(a.heard.wait([&] { return a.heard.lost.size() == 1; }));
    b = std::make_unique<process>(node_hello(2, 8), same);
    if (says_hello) {
      b->links.connect_to({a.at(1)});  // heard at a's dock, and then by a's own link
      REQUIRE(a.heard.wait([&] { return a.heard.hellos.size() == 3; }));
    } else {
      auto later = there;
      later.run = 8;
      a.links.connect_to({later});
      REQUIRE(a.heard.wait([&] { return a.heard.hellos.size() == 2; }));
    }
    CHECK(a.links.send(node_id{2}, word::parcels, "at once"));
  }
}

TEST_CASE("transport: a port that is taken is said") {
  process a{node_hello(1)};
  listening heard;
  transport_options same;
  same.port = a.links.port();
  CHECK_THROWS_AS((transport{same, node_hello(2), heard}), std::runtime_error);
}

namespace {

/// Connects to a port of this machine and says only what it is told to.
class silent_process {
 public:
  explicit silent_process(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  }
  ~silent_process() { ::close(socket_); }
  silent_process(const silent_process&) = delete;
  silent_process& operator=(const silent_process&) = delete;
  void say(std::string_view bytes) const {
    CHECK(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0);
  }
  bool is_shut_out(int within_ms) const {
    std::array<char, 4096> what{};
    pollfd one{socket_, POLLIN, 0};
    while (::poll(&one, 1, within_ms) == 1)
      if (::recv(socket_, what.data(), what.size(), 0) <= 0) return true;
    return false;
  }

 private:
  int socket_;
};

}  // namespace

TEST_CASE("transport: who connects and says nothing is shut out, and who does not fit in is not waited for") {
  transport_options hasty;
  hasty.newcomer_patience = std::chrono::milliseconds{200};
  process a{node_hello(1), hasty};
  process b{node_hello(2)};
  b.links.connect_to({a.at(1)});
  REQUIRE(b.heard.wait([&] { return !b.heard.hellos.empty(); }));
  const silent_process nobody{a.links.port()};
  const silent_process hesitant{a.links.port()};
  hesitant.say("ab");
  CHECK(nobody.is_shut_out(10'000));
  CHECK(hesitant.is_shut_out(10'000));
  CHECK(a.heard.wait([&] { return a.links.figures().refused == 2; }));

  // More than are waited for at once: the oldest go first, and who knows what to say gets in.
  std::deque<silent_process> crowd;
  for (std::size_t i = 0; i < 80; ++i) crowd.emplace_back(a.links.port());
  CHECK(crowd.front().is_shut_out(10'000));
  process c{node_hello(3)};
  c.links.connect_to({a.at(1)});
  CHECK(c.heard.wait([&] { return !c.heard.hellos.empty(); }));
  CHECK(b.links.figures().links_lost == 0);
}
