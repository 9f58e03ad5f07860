#include "cluster/authority/etcd/wire.hpp"

#include <doctest/doctest.h>

#include "cluster/authority/etcd/answer_gate.hpp"

using namespace troupe::etcd;

TEST_CASE("etcd wire: base64 as in RFC 4648, both ways, and nothing else") {
  const std::pair<std::string, std::string> pairs[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"},
                                                       {"\xff\xfe\xfd", "//79"}};
  for (const auto& [bytes, text] : pairs) {
    CHECK(to_base64(bytes) == text);
    CHECK(from_base64(text) == bytes);
  }
  for (const auto* bad : {"Z", "Zg=", "Zg", "Z===", "Zg==Zg==", "Zm9-", "Zm 9"}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base64(bad));
  }
}

TEST_CASE("etcd wire: requests are these bytes") {
  CHECK(range_request("/a/", want::keys_and_values) == R"({"key":"L2Ev","range_end":"L2Ew"})");
  CHECK(range_request("/a/", want::keys) == R"({"key":"L2Ev","range_end":"L2Ew","keys_only":true})");
  CHECK(txn_request({{"/a", 7}}, {{"/a", "x", 5}}, {"/a"}) ==
        R"({"compare":[{"target":"MOD","key":"L2E=","mod_revision":"7","result":"EQUAL"}],)"
        R"("success":[{"request_put":{"key":"L2E=","value":"eA==","lease":"5"}}],)"
        R"("failure":[{"request_range":{"key":"L2E="}}]})");
}

TEST_CASE("etcd wire: the end of a prefix is the next key behind all that begin with it") {
  CHECK(end_of_prefix("/f/") == "/f0");
  CHECK(end_of_prefix("a\xff\xff") == "b");
}

TEST_CASE("answer gate: an answer is compared with what was known when its request was sent") {
  answer_gate gate{10};
  const auto before = gate.newest();
  CHECK(before == 10);
  CHECK_FALSE(gate.admit({1, 9}, before));
  CHECK(gate.admit({1, 20}, before));
  // Another request that was sent before, answered at an older revision, and overtaken.
  CHECK(gate.admit({1, 15}, before));
  CHECK(gate.newest() == 20);
  CHECK_FALSE(gate.admit({1, 19}, gate.newest()));
  CHECK_FALSE(gate.admit({2, 30}, gate.newest()));
  CHECK(gate.newest() == 20);
  CHECK(gate.counts().rolled_back == 2);
  CHECK(gate.counts().other_cluster == 1);
}
