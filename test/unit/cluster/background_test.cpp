#include "cluster/node/background.hpp"

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>

using troupe::background;

TEST_CASE("background: runs what it is given in its order") {
  background work;
  std::string order;
  std::promise<void> done;
  work.run([&] { order += 'a'; });
  work.run([&] { order += 'b'; });
  work.run([&] { done.set_value(); });
  done.get_future().wait();
  CHECK(order == "ab");
}

TEST_CASE("background: when it stops it drops what waits, with what that holds, and what comes later") {
  background work;
  std::promise<void> has_begun, may_end;
  const auto held = std::make_shared<int>(1);
  bool has_run = false;
  work.run([&] {
    has_begun.set_value();
    may_end.get_future().wait();
  });
  has_begun.get_future().wait();
  work.run([held, &has_run] { has_run = true; });
  CHECK(held.use_count() == 2);
  std::thread stop{[&] { work.stop(); }};
  while (held.use_count() > 1) std::this_thread::yield();
  may_end.set_value();
  stop.join();
  work.run([held, &has_run] { has_run = true; });
  CHECK(held.use_count() == 1);
  CHECK_FALSE(has_run);
}
