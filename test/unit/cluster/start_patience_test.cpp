#include "cluster/authority/start_patience.hpp"

#include <doctest/doctest.h>

using namespace troupe;
using namespace std::chrono_literals;

namespace {
const auto start = start_patience::clock::time_point{} + 1h;
const std::vector<std::string> one{"http://127.0.0.1:1"};
const std::vector<std::string> two{"http://127.0.0.1:1", "http://127.0.0.1:2"};
}  // namespace

TEST_CASE(
    "start patience: what it waits for is said at once, again after 10 s, and when the reason is another "
    "one") {
  start_patience patience{{}, one, 60s, {}, start};
  const auto refused = "http://127.0.0.1:1: Connection";
  CHECK(
      patience.notice(refused, start + 1ms) ==
      "waiting for etcd at http://127.0.0.1:1, for another 60 s: no connection can be made; is it running?");
  CHECK(patience.notice(refused, start + 9'999ms) == "");
  CHECK(patience.notice(refused, start + 10'001ms).find("for another 50 s") != std::string::npos);
  CHECK(patience.notice("http://127.0.0.1:1: Read", start + 10'900ms) == "");  // at most once a second
  CHECK(patience.notice("http://127.0.0.1:1: Read", start + 11'100ms).find("does not answer") !=
        std::string::npos);
  CHECK(patience.notice("http://127.0.0.1:1: Read", start + 11'400ms) == "");
  CHECK(patience.notice(refused, start + 70s).find("for another 0 s") != std::string::npos);
}

TEST_CASE("start patience: which of several members it was is no other reason") {
  start_patience patience{"cluster shop", two, 5s, {}, start};
  CHECK(patience.notice("http://127.0.0.1:1: Connection", start)
            .starts_with("waiting for cluster shop in etcd at http://127.0.0.1:1,http://127.0.0.1:2, for "
                         "another 5 s: "));
  CHECK(patience.notice("http://127.0.0.1:2: Connection", start + 200ms) == "");
}

TEST_CASE("start patience: reasons that are words already stay as they are") {
  CHECK(start_patience::in_plain_words("no node has registered yet") == "no node has registered yet");
  CHECK(start_patience::in_plain_words("status 503, busy: Read") == "status 503, busy: Read");
  CHECK(start_patience::in_plain_words("http://127.0.0.1:1: Compression") ==
        "http://127.0.0.1:1: Compression");
  CHECK(start_patience::in_plain_words("") == "no answer in time");
}

TEST_CASE("start patience: it ends when its time is over, and says how long that was") {
  const start_patience over{{}, one, 2s, {}, start_patience::clock::now() - 3s};
  CHECK_FALSE(over.pause());
  CHECK(over.fault("http://127.0.0.1:1: Connection")
            .starts_with("waited 2 s in vain for etcd at http://127.0.0.1:1: "));
  CHECK(start_patience{{}, one, 1h, {}}.pause());
}

TEST_CASE(
    "start patience: an answer that has come is taken at the end of the time, and none is awaited then") {
  start_patience over{{}, one, 2s, {}, start_patience::clock::now() - 3s};
  std::promise<int> answered;
  answered.set_value(7);
  CHECK(over.await(answered.get_future()) == 7);
  std::promise<int> frozen;
  CHECK_FALSE(over.await(frozen.get_future()));
  CHECK(over.fault({}).ends_with(": no answer in time"));
  (void)over.notice("http://127.0.0.1:1: Connection", start_patience::clock::now());
  CHECK(over.fault({}).ends_with(": no connection can be made; is it running?"));
}

TEST_CASE("start patience: it ends when the process is asked to end, also while an answer is awaited") {
  bool is_asked = false;
  const start_patience patience{{}, one, 1h, [&] { return is_asked; }};
  std::promise<int> answered;
  answered.set_value(7);
  CHECK(patience.await(answered.get_future()) == 7);
  is_asked = true;
  std::promise<int> never;
  CHECK_FALSE(patience.await(never.get_future()));
  CHECK_FALSE(patience.pause());
  CHECK(patience.fault({}).starts_with("asked to end before it had started, while it waited for etcd at "));
}
