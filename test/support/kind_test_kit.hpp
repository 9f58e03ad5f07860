#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "test/support/entity_under_test.hpp"

namespace troupe::test {

/// 2026-01-31T09:30:00Z, when every test begins.
inline constexpr timestamp start_of_time{1'769'851'800'000};

/// A user id that is easy to read: ends in `number`.
inline user_id user(std::uint8_t number) {
  user_id id;
  id.bytes[6] = 0x40;
  id.bytes[8] = 0x80;
  id.bytes[15] = number;
  return id;
}

template <class Kind, class Message>
using reply_of = typename decltype(std::declval<Kind&>().on(std::declval<const Message&>()))::value_type;

template <class Message>
Message decoded(std::string_view bytes) {
  Message message;
  kit_check(decode(bytes, message), "bytes do not decode");
  return message;
}

/// What one message came to, typed.
template <class Reply>
class answer {
 public:
  explicit answer(outcome out) : out_(std::move(out)) {}

  bool is_ok() const { return out_.what == outcome::status::ok; }
  Reply reply() const {
    kit_check(is_ok(), "refused with code " + std::to_string(is_ok() ? 0 : rejected().code));
    return decoded<Reply>(out_.reply);
  }
  rejection rejected() const {
    kit_check(out_.what == outcome::status::rejected, "not refused");
    return decoded<rejection>(out_.reply);
  }
  template <class Refusal>
  bool refused(Refusal code) const {
    return out_.what == outcome::status::rejected && rejected().code == static_cast<std::uint16_t>(code);
  }
  /// The messages of that type in the outbox, in order.
  template <class Target, class Message>
  std::vector<Message> sent() const {
    std::vector<Message> found;
    for (const auto& one : out_.changes.sends) {
      if (one.target.kind != Target::options.id || one.message != Target::template number_of<Message>())
        continue;
      found.push_back(decoded<Message>(one.body));
    }
    return found;
  }
  const effects& changes() const { return out_.changes; }
  outcome::status status() const { return out_.what; }
  std::uint64_t version() const { return out_.version; }

 private:
  outcome out_;
};

/// Given earlier commands, when a message, then its answer, rows, sends and timers. One entity of one kind
/// under virtual time; see entity_under_test for what is checked on the side.
///
///   kind_fixture<sku::kind> phone{"phone"};
///   phone.given(sku::define{.name = "Phone", .stock = 1});
///   CHECK(phone.when(sku::place_order{user(1), 2}).refused(sku::refusal::sold_out));
template <class Kind>
class kind_fixture {
 public:
  explicit kind_fixture(std::string key) : entity_(descriptor_, std::move(key)) {}

  template <class Message>
  answer<reply_of<Kind, Message>> when(const Message& message, const version_condition& expect_version = {}) {
    auto out = entity_.run(next_call(), Kind::template number_of<Message>(), encode(message), expect_version);
    if (Kind::template is_query<Message>()) kit_check(out.changes.empty(), "a query changed something");
    return answer<reply_of<Kind, Message>>{std::move(out)};
  }
  /// Commands that must be accepted.
  template <class... Message>
  void given(const Message&... messages) {
    (void(when(messages).reply()), ...);
  }
  /// The reply of a message that must be accepted.
  template <class Message>
  reply_of<Kind, Message> ask(const Message& message) {
    return when(message).reply();
  }

  timestamp now() const { return now_; }
  /// Time passes; timers that fall due run in order, each at its time.
  std::vector<answer<done>> advance(std::chrono::milliseconds by) {
    std::vector<answer<done>> fired;
    const auto until = now_ + by;
    while (!entity_.timers().empty() && entity_.timers().begin()->first.due <= until) {
      now_ = std::max(now_, entity_.timers().begin()->first.due);
      fired.emplace_back(entity_.fire_next(next_call()));
    }
    now_ = until;
    return fired;
  }

  /// Time passes and the timers are late: they run with the next advance().
  void advance_with_late_timers(std::chrono::milliseconds by) { now_ = now_ + by; }

  std::size_t timer_count() const { return entity_.timers().size(); }
  std::uint64_t version() const { return entity_.version(); }
  const entity_under_test& entity() const { return entity_; }
  /// All rows of a table as they are stored, in order of their keys.
  template <class Key, class Row>
  std::vector<std::pair<Key, Row>> rows(table_no number) const {
    std::vector<std::pair<Key, Row>> found;
    for (const auto& [name, value] : entity_.stored().all()) {
      if (name.first != number) continue;
      Key key{};
      kit_check(from_sort_key(name.second, key), "a row key does not decode");
      found.emplace_back(std::move(key), decode_row<Row>(value));
    }
    return found;
  }

 private:
  call next_call() { return {now_, ++seed_}; }

  static inline const kind_descriptor descriptor_ = describe_kind<Kind>();
  entity_under_test entity_;
  timestamp now_ = start_of_time;
  std::uint64_t seed_ = 0;
};

}  // namespace troupe::test
