#include "runtime/host/pending_slots.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace troupe;

TEST_CASE("pending slots: a place that is given back has another name, and is used again") {
  pending_slots<std::string> slots;
  const auto first = slots.take();
  slots[first] = "one";
  const auto name = slots.ticket_of(first);
  CHECK(slots.find(name) == first);
  CHECK(slots.used() == 1);
  CHECK(slots.give_back(first) == "one");
  CHECK_FALSE(slots.find(name));
  CHECK(slots.used() == 0);
  CHECK(slots.take() == first);
  CHECK(slots[first].empty());
  CHECK_FALSE(slots.find(name));
  CHECK_FALSE(slots.find(7));  // there is no such place
  CHECK(slots.size() == 1);
}

TEST_CASE("pending slots: a name stays within its bits") {
  pending_slots<int, 2> slots;
  for (int user = 0; user < 9; ++user) {
    const auto slot = slots.take();
    const auto generation = slots.ticket_of(slot) >> 32U;
    CHECK(generation == static_cast<std::uint64_t>(user % 4));
    slots.give_back(slot);
  }
}
