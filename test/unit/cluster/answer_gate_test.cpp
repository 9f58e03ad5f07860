#include "cluster/authority/etcd/answer_gate.hpp"

#include <doctest/doctest.h>

#include "test/support/log_of_test.hpp"

using namespace troupe;
using namespace troupe::etcd;
using test::log_of_test;

TEST_CASE("answer gate: what is refused is counted each time and logged once, each reason by itself") {
  const log_of_test log;
  answer_gate gate{5};
  CHECK(gate.admit({1, 7}, gate.newest()));
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(gate.admit({1, 6}, gate.newest()));
    CHECK_FALSE(gate.admit({2, 8}, gate.newest()));
    gate.refuse(refusal::nonsense, "no answer at all");
    gate.refuse(refusal::declined, "status 429");
  }
  CHECK(gate.newest() == 7);
  CHECK(gate.counts().rolled_back == 3);
  CHECK(gate.counts().other_cluster == 3);
  CHECK(gate.counts().nonsense == 3);
  CHECK(gate.counts().declined == 3);
  CHECK(gate.counts().impossible() == 9);
  CHECK(log.count("it is at revision 6 and was at 7") == 1);
  CHECK(log.count("etcd cluster 2 answers instead of 1") == 1);
  CHECK(log.count("no answer at all") == 1);
  CHECK(log.count("does not do what it is asked: status 429") == 1);
}

TEST_CASE(
    "answer gate: answers that overtake each other are believed, and what an earlier process knew counts") {
  answer_gate gate{5};
  CHECK_FALSE(gate.admit({1, 4}, gate.newest()));
  const auto when_sent = gate.newest();
  CHECK(gate.admit({1, 9}, when_sent));
  CHECK(gate.admit({1, 6}, when_sent));
  CHECK(gate.newest() == 9);
}
