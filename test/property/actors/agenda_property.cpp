#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>

#include "actors/agenda/agenda.hpp"
#include "actors/kinds.hpp"
#include "actors/sku/names.hpp"
#include "actors/sku/sku.hpp"
#include "test/support/kind_world.hpp"

using namespace troupe;
using test::user;

TEST_CASE("agenda: once all messages are delivered, in any order, everybody's orders are what the SKUs say") {
  CHECK(rc::check([] {
    test::kind_world world{all_kinds()};
    world.pick = [](std::size_t waiting) { return *rc::gen::inRange<std::size_t>(0, waiting); };
    std::vector<sku::receipt> placed;
    const std::vector<std::string> names{"phone", "case"};
    for (const auto& name : names) {
      world.tell<sku::kind>(name, sku::define{.name = name, .stock = 50, .hold_seconds = 10});
    }
    const auto steps = *rc::gen::inRange(0, 40);
    for (int i = 0; i < steps; ++i) {
      const auto& name = names[*rc::gen::inRange<std::size_t>(0, 2)];
      const auto dice = *rc::gen::inRange(0, 6);
      if (dice == 0) world.advance(std::chrono::seconds{*rc::gen::inRange(0, 8)});
      if (dice == 1) world.deliver_all();
      if (dice >= 3) {
        const auto answer =
            world.tell<sku::kind>(name, sku::place_order{user(*rc::gen::inRange<std::uint8_t>(1, 4)), 1});
        if (answer.is_ok()) placed.push_back(answer.reply());
      } else if (!placed.empty()) {
        const auto& one = placed[*rc::gen::inRange<std::size_t>(0, placed.size())];
        if (*rc::gen::arbitrary<bool>()) {
          world.tell<sku::kind>(one.sku, sku::confirm_order{one.order, {one.user, false}});
        } else {
          world.tell<sku::kind>(one.sku, sku::cancel_order{one.order, {one.user, false}});
        }
      }
    }
    world.deliver_all();

    std::map<std::string, std::map<std::string, sku::order_status>> expected;
    for (const auto& one : placed) {
      const auto now = world.tell<sku::kind>(one.sku, sku::get_order{one.order, {one.user, false}}).reply();
      expected[to_string(one.user)][to_string(sku::order_name{one.sku, one.order})] = now.status;
    }
    for (const auto& [owner, orders] : expected) {
      std::map<std::string, sku::order_status> listed;
      const auto page =
          world.tell<agenda::kind>(owner, agenda::list_orders{{.limit = 100, .cursor = {}}}).reply();
      for (const auto& item : page.items) listed[item.order_id] = item.status;
      RC_ASSERT(listed == orders);
      RC_ASSERT(page.items.size() == orders.size());
    }
  }));
}
