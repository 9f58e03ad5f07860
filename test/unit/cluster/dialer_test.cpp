#include "cluster/transport/dialer.hpp"

#include <doctest/doctest.h>

#include <future>

#include "test/support/log_of_test.hpp"

using namespace troupe;
using test::log_of_test;

namespace {

int dial(dialer& by, const std::string& endpoint) {
  std::promise<int> socket;
  by.dial(endpoint, std::chrono::seconds{1}, [&](int fd) { socket.set_value(fd); });
  return socket.get_future().get();
}

}  // namespace

TEST_CASE("dialer: an address that is none fails at once, and is named once, however often it is tried") {
  const log_of_test log;
  dialer dials{""};
  for (int i = 0; i < 3; ++i) CHECK(dial(dials, "foo") == -1);
  CHECK(dial(dials, "bar:0") == -1);
  CHECK(log.count("\"foo\" is no ip:port") == 1);
  CHECK(log.count("\"bar:0\" is no ip:port") == 1);
}

TEST_CASE("dialer: of many such addresses the first ones are named") {
  const log_of_test log;
  dialer dials{""};
  for (int i = 0; i < 100; ++i) CHECK(dial(dials, "node-" + std::to_string(i)) == -1);
  CHECK(log.count("is no ip:port") == 64);
}
