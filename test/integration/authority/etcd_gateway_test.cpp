#include <doctest/doctest.h>

#include "cluster/authority/etcd/gateway_link.hpp"
#include "cluster/authority/etcd/wire.hpp"
#include "test/integration/authority/etcd_process.hpp"

// What the JSON of the real server looks like: the wire code rests on it.

using namespace troupe;
using namespace troupe::etcd;

namespace {

struct real_gateway {
  test::etcd_process server;
  endpoint_list endpoints{{server.endpoint()}};
  gateway_link link{endpoints};

  std::string post(const char* path, const std::string& body, int status = 200) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{10};
    const auto answer = link.post_once(path, body, deadline);
    REQUIRE(answer.what == http_reply::fate::answered);
    CHECK(answer.status == status);
    return answer.body;
  }
  std::string txn(const std::vector<unchanged>& conditions, const std::vector<put>& puts,
                  const std::vector<std::string>& otherwise, int status = 200) {
    return post("/v3/kv/txn", txn_request(conditions, puts, otherwise), status);
  }
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("etcd gateway: fields with their default are left out, 64-bit integers are strings") {
  real_gateway g;
  const auto empty = g.post("/v3/kv/range", range_request("/none/", want::keys_and_values));
  CHECK_FALSE(has(empty, "kvs"));
  CHECK_FALSE(has(empty, "count"));
  CHECK(has(empty, R"("revision":"1")"));
  const auto none = parse_range(empty);
  REQUIRE(none);
  CHECK(none->found.empty());
  CHECK(none->header.revision == 1);
  CHECK(none->header.etcd_cluster != 0);

  const auto done = g.txn({{"/a", 0}}, {{"/a", std::string{"\0\xff{}", 4}}}, {"/a"});
  CHECK(has(done, R"("succeeded":true)"));
  const auto lost = g.txn({{"/a", 0}}, {{"/a", "other"}}, {"/a"});
  CHECK_FALSE(has(lost, "succeeded"));
  CHECK(has(lost, R"("mod_revision":"2")"));

  const auto won_answer = parse_txn(done, 1);
  REQUIRE(won_answer);
  CHECK(won_answer->succeeded);
  CHECK(won_answer->header.revision == 2);
  const auto lost_answer = parse_txn(lost, 1);
  REQUIRE(lost_answer);
  CHECK_FALSE(lost_answer->succeeded);
  REQUIRE(lost_answer->found.size() == 1);
  CHECK(lost_answer->found[0].key == "/a");
  CHECK(lost_answer->found[0].value == std::string{"\0\xff{}", 4});
  CHECK(lost_answer->found[0].revision == 2);
}

TEST_CASE("etcd gateway: a lease that is gone answers without a TTL, a put on it is refused") {
  real_gateway g;
  const auto granted = parse_grant(g.post("/v3/lease/grant", grant_request(10)));
  REQUIRE(granted);
  CHECK(granted->ttl_s == 10);
  const auto alive = parse_keep_alive(g.post("/v3/lease/keepalive", keep_alive_request(granted->lease)));
  REQUIRE(alive);
  CHECK(alive->ttl_s == 10);

  const auto text = g.post("/v3/lease/keepalive", keep_alive_request(12345));
  CHECK_FALSE(has(text, "TTL"));
  const auto gone = parse_keep_alive(text);
  REQUIRE(gone);
  CHECK(gone->ttl_s == 0);

  const auto refused = g.txn({}, {{"/a", "x", 12345}}, {}, 404);
  CHECK(has(refused, "requested lease not found"));
  CHECK_FALSE(parse_txn(refused, 1));
}

TEST_CASE(
    "etcd gateway: a range over a prefix has what begins with it and nothing else, also without values") {
  real_gateway g;
  g.txn({}, {{"/f/a/1", "x"}, {"/f/a/2", "y"}, {"/f/b/1", "z"}, {"/f/a", "no"}}, {});
  const auto all = parse_range(g.post("/v3/kv/range", range_request("/f/a/", want::keys_and_values)));
  REQUIRE(all);
  REQUIRE(all->found.size() == 2);
  CHECK(all->found[0].key == "/f/a/1");
  CHECK(all->found[1].value == "y");
  CHECK(all->found[0].revision == all->found[1].revision);
  const auto keys = parse_range(g.post("/v3/kv/range", range_request("/f/a/", want::keys)));
  REQUIRE(keys);
  REQUIRE(keys->found.size() == 2);
  CHECK(keys->found[1].key == "/f/a/2");
  CHECK(keys->found[1].value.empty());
}
