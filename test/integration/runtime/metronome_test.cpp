#include <doctest/doctest.h>

#include <atomic>

#include "runtime/host/metronome.hpp"

using namespace troupe;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST_CASE("metronome: whoever asks is woken, not before the time, from whatever thread the asking comes") {
  constexpr std::size_t sleepers = 32;
  constexpr int rounds = 20;
  struct sleeper {
    std::atomic<std::int64_t> asked_ns{0};
    std::atomic<int> woken{0};
    std::atomic<bool> early{false};
  };
  std::vector<sleeper> all(sleepers);
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t finished = 0;
  metronome* ticks = nullptr;
  const auto ask = [&](std::size_t who, milliseconds delay) {
    const auto at = steady_clock::now() + delay;
    all[who].asked_ns = at.time_since_epoch().count();
    ticks->wake_at(who, at);
  };
  metronome m{sleepers, [&](std::size_t who) {
                auto& s = all[who];
                if (steady_clock::now().time_since_epoch().count() < s.asked_ns) s.early = true;
                if (++s.woken < rounds) {
                  ask(who, milliseconds{static_cast<int>(who) % 4});
                } else {
                  const std::lock_guard lock{mutex};
                  ++finished;
                  changed.notify_one();
                }
              }};
  ticks = &m;
  std::thread other{[&] {
    for (std::size_t who = 0; who < sleepers; who += 2) ask(who, milliseconds{static_cast<int>(who)});
  }};
  for (std::size_t who = 1; who < sleepers; who += 2) ask(who, milliseconds{0});
  other.join();
  {
    std::unique_lock lock{mutex};
    CHECK(changed.wait_for(lock, std::chrono::seconds{20}, [&] { return finished == sleepers; }));
  }
  for (const auto& s : all) {
    CHECK(s.woken == rounds);
    CHECK_FALSE(s.early);
  }
}

TEST_CASE(
    "metronome: stopping ends its thread while wake-ups are outstanding, and asking afterwards does no "
    "harm") {
  std::atomic<int> woken{0};
  metronome m{2, [&](std::size_t) { ++woken; }};
  m.wake_at(0, steady_clock::now() + std::chrono::hours{1});
  m.stop();
  m.wake_at(1, steady_clock::now());
  m.stop();
  CHECK(woken == 0);
}
