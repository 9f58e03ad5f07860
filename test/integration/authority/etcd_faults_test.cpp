#include <doctest/doctest.h>
#include <httplib.h>

#include <atomic>
#include <future>
#include <mutex>

#include "cluster/authority/etcd/etcd_authority.hpp"
#include "cluster/authority/etcd/wire.hpp"
#include "cluster/authority/records.hpp"
#include "test/integration/authority/authority_fixture.hpp"
#include "test/integration/authority/cutting_proxy.hpp"
#include "test/integration/authority/etcd_process.hpp"

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;
using etcd::etcd_authority;

namespace {

etcd::etcd_options options(std::vector<std::string> endpoints) {
  etcd::etcd_options o;
  o.endpoints = std::move(endpoints);
  o.cluster = "test";
  o.patience = 1500ms;
  return o;
}

/// Says whatever it is told to every request.
class fake_etcd {
 public:
  explicit fake_etcd(int status, std::string body) {
    http_.Post(".*", [=](const httplib::Request&, httplib::Response& out) {
      out.status = status;
      out.set_content(body, "application/json");
    });
    port_ = http_.bind_to_any_port("127.0.0.1");
    listening_ = std::thread{[this] { http_.listen_after_bind(); }};
    while (!http_.is_running()) std::this_thread::yield();
  }
  ~fake_etcd() {
    http_.stop();
    listening_.join();
  }
  std::string endpoint() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  httplib::Server http_;
  int port_ = 0;
  std::thread listening_;
};

const member someone{node_id{1}, 2};

}  // namespace

TEST_CASE("etcd authority: a change whose answer is lost is unknown, is not repeated, and shows later") {
  etcd_process server;
  cutting_proxy proxy{server.port()};
  etcd_authority direct{options({server.endpoint()})};
  const auto self = enter(direct, profile("a", 1)).self;
  // It could be asked again, another way.
  auto o = options({proxy.endpoint(), server.endpoint()});
  o.hint_interval = 60s;
  etcd_authority authority{o};
  const auto created = cas(authority, 0, 0, led_by(self, 1, {self}));
  REQUIRE(created.outcome == cas_outcome::won);

  proxy.cut_answers_to("/v3/kv/txn", 1);
  const auto proposed = led_by(self, 2, {self});
  const auto lost = cas(authority, 0, created.now.revision, proposed);
  CHECK(lost.outcome == cas_outcome::unknown);
  CHECK(proxy.answers_cut() == 1);
  CHECK(authority.figures().unknown_outcomes == 1);

  const auto read = read_all(authority);
  REQUIRE(read.ok);
  REQUIRE(read.configs.size() == 1);
  CHECK(read.configs[0].config == proposed);
  // Applied once: one revision later, nothing else has been written since.
  CHECK(read.configs[0].revision == created.now.revision + 1);
}

TEST_CASE(
    "etcd authority: a server that hangs is unknown or not ok at the deadline, and works when it is back") {
  etcd_process server;
  etcd_authority authority{options({server.endpoint()})};
  const auto self = enter(authority, profile("a", 1)).self;
  const auto created = cas(authority, 0, 0, led_by(self, 1, {self}));
  REQUIRE(created.outcome == cas_outcome::won);

  server.pause();
  const auto begin = std::chrono::steady_clock::now();
  const auto hung = cas(authority, 0, created.now.revision, led_by(self, 2, {self}));
  const auto read = read_all(authority);
  const auto took = std::chrono::steady_clock::now() - begin;
  server.resume();
  CHECK(hung.outcome == cas_outcome::unknown);
  CHECK_FALSE(read.ok);
  CHECK_FALSE(read.error.empty());
  CHECK(took < 2 * 1500ms + 1s);

  // What was sent may be done now. A touch at the same revision finds out: exactly one of the two wins.
  const auto touch = cas(authority, 0, created.now.revision, led_by(self, 3, {self}));
  REQUIRE(touch.outcome != cas_outcome::unknown);
  CHECK(touch.now.revision > created.now.revision);
  CHECK(touch.now.config.epoch == (touch.outcome == cas_outcome::won ? 3 : 2));
}

TEST_CASE("etcd authority: many calls to a hung server are all answered by the deadline, and so at the end") {
  etcd_process server;
  auto authority = std::make_unique<etcd_authority>(options({server.endpoint()}));
  server.pause();
  call_count answers;
  for (int i = 0; i < 1100; ++i)
    authority->read_all([&](read_result r) {
      if (!r.ok) answers();
    });
  // Counted once a round: the last ones may all come between two looks.
  for (auto seen = answers.now(); seen < 1100; seen = answers.now())
    REQUIRE(answers.wait_past(seen, answer_max));
  for (int i = 0; i < 10; ++i) authority->read_all([&](read_result) { answers(); });
  authority.reset();
  CHECK(answers.now() == 1110);
  server.resume();
}

TEST_CASE("etcd authority: a restarted server is found again, with everything it had") {
  etcd_process server;
  etcd_authority authority{options({server.endpoint()})};
  const auto self = enter(authority, profile("a", 1)).self;
  const auto created = cas(authority, 0, 0, led_by(self, 1, {self}));
  server.stop();
  CHECK_FALSE(read_all(authority).ok);
  CHECK(cas(authority, 0, created.now.revision, led_by(self, 2, {self})).outcome == cas_outcome::unknown);
  server.start();
  const auto read = read_all(authority);
  REQUIRE(read.ok);
  CHECK(read.configs.at(0).revision == created.now.revision);
  CHECK(cas(authority, 0, created.now.revision, led_by(self, 2, {self})).outcome == cas_outcome::won);
}

TEST_CASE("etcd authority: a dead and a hung endpoint are passed over") {
  etcd_process server;
  etcd_process hung;
  hung.pause();
  // Nobody listens on port 1.
  etcd_authority authority{options({"http://127.0.0.1:1", server.endpoint()})};
  const auto self = enter(authority, profile("a", 1)).self;
  CHECK(cas(authority, 0, 0, led_by(self, 1, {self})).outcome == cas_outcome::won);
  etcd_authority other{options({hung.endpoint(), server.endpoint()})};
  CHECK(read_all(other).ok);
  hung.resume();
}

TEST_CASE("etcd authority: garbage is refused and counted, whatever it looks like") {
  const auto config = etcd::to_base64("{}");
  const auto key = etcd::to_base64("/f/test/shard/0");
  const auto other_key = etcd::to_base64("/f/test/shard/007");
  const std::string header = R"({"header":{"cluster_id":"5","revision":"9"})";
  const std::string bodies[] = {
      "",
      "it works!",
      "[]",
      "{}",
      R"({"header":{}})",
      R"({"header":{"cluster_id":"5","revision":9}})",
      R"({"header":{"cluster_id":"5","revision":"-9"}})",
      header + R"(,"kvs":{}})",
      header + R"(,"kvs":[1]})",
      header + R"(,"kvs":[{"key":"!","mod_revision":"3"}]})",
      header + R"(,"kvs":[{"key":")" + key + R"(","mod_revision":"10","value":")" + config + R"("}]})",
      header + R"(,"kvs":[{"key":")" + key + R"(","mod_revision":"3","value":")" + config + R"("}]})",
      header + R"(,"kvs":[{"key":")" + other_key + R"(","mod_revision":"3","value":""}]})",
      header + R"(,"responses":[{"response_put":{}}]})",
      header + R"(,"succeeded":true,"responses":[]})",
      header + R"(,"succeeded":1})",
  };
  for (const auto& body : bodies) {
    CAPTURE(body);
    fake_etcd fake{200, body};
    auto o = options({fake.endpoint()});
    o.hint_interval = 60s;
    etcd_authority authority{o};
    const auto read = read_all(authority);
    const auto outcome = cas(authority, 0, 0, led_by(someone, 1, {someone})).outcome;
    // Some of them are the answer to one of the two, to neither all of it can be believed.
    CHECK((!read.ok || outcome != cas_outcome::won));
    CHECK(outcome != cas_outcome::won);
    if (read.ok) CHECK(read.configs.empty());
    CHECK(enter(authority, profile("a", 1)).outcome == registration_outcome::unreachable);
    CHECK(authority.figures().refused.nonsense >= 1);
  }
}

TEST_CASE("etcd authority: a shard's record that cannot be read is left out, and takes no other with it") {
  const auto record = [](const std::string& key, const std::string& value) {
    return R"({"key":")" + etcd::to_base64(key) + R"(","mod_revision":"3","value":")" +
           etcd::to_base64(value) + R"("})";
  };
  fake_etcd fake{200, R"({"header":{"cluster_id":"5","revision":"9"},"kvs":[)" +
                          record("/f/test/shard/0", "{}") + "," +
                          record("/f/test/shard/1", to_json(led_by(someone, 1, {someone}))) + "]}"};
  auto o = options({fake.endpoint()});
  o.hint_interval = 60s;
  etcd_authority authority{o};
  const auto read = read_all(authority);
  REQUIRE(read.ok);
  REQUIRE(read.configs.size() == 1);
  CHECK(read.configs[0].shard == 1);
  CHECK(authority.figures().refused.nonsense >= 1);
}

TEST_CASE("etcd authority: a cluster's record that cannot be read is refused and counted, whoever asks") {
  fake_etcd fake{200, R"({"header":{"cluster_id":"5","revision":"9"},"kvs":[{"key":")" +
                          etcd::to_base64("/f/test/meta") + R"(","mod_revision":"3","value":")" +
                          etcd::to_base64("what?") + R"("}]})"};
  auto o = options({fake.endpoint()});
  o.hint_interval = 60s;
  etcd_authority authority{o};
  const auto nodes = read_nodes(authority);
  CHECK_FALSE(nodes.ok);
  CHECK(nodes.error == "the cluster's record cannot be read");
  CHECK(authority.figures().refused.nonsense == 1);
}

TEST_CASE("etcd authority: an error status is no answer") {
  fake_etcd fake{503, R"({"error":"etcdserver: request timed out","code":14})"};
  etcd_authority authority{options({fake.endpoint()})};
  const auto read = read_all(authority);
  CHECK_FALSE(read.ok);
  CHECK(read.error.find("request timed out") != std::string::npos);
  CHECK(cas(authority, 0, 0, led_by(someone, 1, {someone})).outcome == cas_outcome::unknown);
}

TEST_CASE("etcd authority: a server that has no room for changes is told from one that is away") {
  fake_etcd full{429, R"({"error":"etcdserver: mvcc: database space exceeded","code":8})"};
  etcd_authority authority{options({full.endpoint()})};
  CHECK_FALSE(authority.figures().is_full);
  CHECK(cas(authority, 0, 0, led_by(someone, 1, {someone})).outcome == cas_outcome::unknown);
  // The node was not found: nothing was written, and nothing could be.
  CHECK(authority.figures().refused.declined > 0);
  CHECK(authority.figures().refused.impossible() == 0);
  CHECK(authority.figures().is_full);
}

TEST_CASE("etcd authority: who listened for hints and does so no more is called no more") {
  etcd_process server;
  auto o = options({server.endpoint()});
  o.hint_interval = 20ms;
  etcd_authority authority{o};
  std::promise<void> called;
  std::promise<void> may_return;
  std::atomic<bool> has_returned{false};
  std::once_flag once;
  authority.on_hint([&] {
    std::call_once(once, [&] {
      called.set_value();
      may_return.get_future().wait();
      has_returned = true;
    });
  });
  enter(authority, profile("a", 1));
  called.get_future().wait();
  std::thread replaces{[&] {
    authority.on_hint([] {});
    CHECK(has_returned);
  }};
  may_return.set_value();
  replaces.join();
}

TEST_CASE("etcd authority: a server restored from an older backup is refused, and changes nothing") {
  etcd_process server;
  etcd_authority authority{options({server.endpoint()})};
  const auto self = enter(authority, profile("a", 1)).self;
  const auto first = cas(authority, 0, 0, led_by(self, 1, {self}));
  server.stop();
  server.back_up();
  server.start();
  const auto second = cas(authority, 0, first.now.revision, led_by(self, 2, {self}));
  REQUIRE(second.outcome == cas_outcome::won);
  server.stop();
  server.restore();
  server.start();

  CHECK_FALSE(read_all(authority).ok);
  // The old revision would fit again: a write by this client must not be believed either.
  const auto lost = cas(authority, 0, second.now.revision, led_by(self, 3, {self}));
  CHECK(lost.outcome == cas_outcome::unknown);
  CHECK(authority.figures().refused.rolled_back >= 2);

  // Another process that knows nothing sees the old store; one that was told its revision does not.
  etcd_authority innocent{options({server.endpoint()})};
  CHECK(read_all(innocent).ok);
  auto warned_options = options({server.endpoint()});
  warned_options.known_revision = second.now.revision;
  etcd_authority warned{warned_options};
  CHECK_FALSE(read_all(warned).ok);

  // Others write to it until it has passed what was seen: the shard itself tells.
  for (std::uint64_t i = 0; i < 10; ++i) enter(innocent, profile("b", 2));
  const auto read = read_all(authority);
  CHECK_FALSE(read.ok);
  CHECK(read.error == "the authority has forgotten a shard's config");
}

TEST_CASE("etcd authority: another etcd behind the same address is refused") {
  etcd_process server;
  etcd_authority authority{options({server.endpoint()})};
  REQUIRE(read_all(authority).ok);
  fake_etcd fake{200, R"({"header":{"cluster_id":"5","revision":"900000"}})"};
  etcd_authority both{options({server.endpoint(), fake.endpoint()})};
  REQUIRE(read_all(both).ok);
  server.stop();
  CHECK_FALSE(read_all(both).ok);
  CHECK(both.figures().refused.other_cluster >= 1);
}
