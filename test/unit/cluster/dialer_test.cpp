#include "cluster/transport/dialer.hpp"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <future>
#include <sstream>

using namespace troupe;

namespace {

/// What is logged while it lives.
class log_of_test {
 public:
  log_of_test() {
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out_)));
  }
  ~log_of_test() { spdlog::set_default_logger(before_); }
  log_of_test(const log_of_test&) = delete;
  log_of_test& operator=(const log_of_test&) = delete;

  std::size_t count(const std::string& text) const {
    const auto all = out_.str();
    std::size_t out = 0;
    for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++out;
    return out;
  }

 private:
  std::ostringstream out_;
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

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
