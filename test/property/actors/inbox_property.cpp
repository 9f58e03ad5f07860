#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "actors/inbox/inbox.hpp"
#include "actors/inbox/names.hpp"
#include "actors/kinds.hpp"
#include "test/support/kind_world.hpp"

using namespace troupe;
using namespace troupe::inbox;
using test::user;

namespace {

const std::string inbox_key = to_string(user(1));

/// An inbox beside the plainest model of one: newest first, each read or not.
struct mirrored_inbox {
  test::kind_world world{all_kinds()};
  std::vector<std::pair<std::string, bool>> model;  // title, is unread
  int sent = 0;

  template <class Message>
  auto tell(const Message& message) {
    return world.tell<inbox::kind>(inbox_key, message);
  }
  /// All of a list, in pages of a random size.
  std::vector<notification_view> all(selection which) {
    std::vector<notification_view> found;
    list ask{which, {.limit = *rc::gen::inRange<std::uint64_t>(1, 5), .cursor = {}}};
    while (true) {
      auto page = tell(ask).reply();
      RC_ASSERT(page.items.size() <= ask.page.limit);
      found.insert(found.end(), page.items.begin(), page.items.end());
      if (!page.next_cursor) return found;
      RC_ASSERT(page.items.size() == ask.page.limit);
      ask.page.cursor = *page.next_cursor;
    }
  }

  void step() {
    const auto at = *rc::gen::inRange<std::size_t>(0, model.size() + 1);
    const bool hits = at < model.size();
    const auto id = hits ? parse_notification_name(all(selection::everything)[at].id)->id : uuid{};
    switch (*rc::gen::inRange(0, 9)) {
      case 0:
        tell(read_all{});
        for (auto& [title, unread] : model) unread = false;
        break;
      case 1:
        world.deliver_all();
        break;
      case 2:
      case 3:
        RC_ASSERT(tell(mark_read{id}).is_ok() == hits);
        if (hits) model[at].second = false;
        break;
      case 4:
        RC_ASSERT(tell(inbox::remove{id}).is_ok() == hits);
        if (hits) model.erase(model.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      default:
        tell(notify{.type = "test", .title = std::to_string(++sent)});
        model.emplace(model.begin(), std::to_string(sent), true);
    }
    if (*rc::gen::arbitrary<bool>()) world.advance(std::chrono::milliseconds{1});
  }

  void check() {
    std::vector<std::pair<std::string, bool>> seen;
    std::vector<std::string> unread_seen;
    std::vector<std::string> unread_model;
    for (const auto& item : all(selection::everything)) seen.emplace_back(item.title, !item.read);
    for (const auto& item : all(selection::unread)) unread_seen.push_back(item.title);
    for (const auto& [title, unread] : model) {
      if (unread) unread_model.push_back(title);
    }
    RC_ASSERT(seen == model);
    RC_ASSERT(unread_seen == unread_model);
    RC_ASSERT(tell(get_unread_count{}).reply().unread_count == unread_model.size());
  }
};

}  // namespace

TEST_CASE("inbox: at every moment the unread count, the unread list and the list agree") {
  CHECK(rc::check([] {
    mirrored_inbox m;
    const auto steps = *rc::gen::inRange(0, 40);
    for (int i = 0; i < steps; ++i) {
      m.step();
      m.check();
    }
    m.world.deliver_all();
    m.check();
  }));
}
