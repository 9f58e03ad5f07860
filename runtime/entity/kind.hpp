#pragma once

#include <boost/core/type_name.hpp>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/entity/entity.hpp"

namespace troupe {

/// What a kind declares and the runtime obeys.
struct kind_options {
  kind_id id{};
  std::string_view name;
  /// An entity that has had nothing to do for this long leaves memory.
  std::chrono::milliseconds passivate_after{std::chrono::seconds{60}};
  /// Commands that may wait for one entity; past it the answer is `overloaded`.
  std::size_t queue_max = 20'000;
};

/// What a message handler came to.
struct handled {
  enum class status : std::uint8_t { ok = 1, rejected = 2, malformed = 3 };
  status what = status::ok;
  std::string bytes;  // encoded reply, or encoded rejection
};

/// One command or query of a kind, with its type erased.
struct message_descriptor {
  message_no number{};
  std::string name;
  bool is_query = false;
  handled (*run)(entity_base&, std::string_view body) = nullptr;
};

struct kind_descriptor {
  kind_options options;
  std::unique_ptr<entity_base> (*make)() = nullptr;
  std::vector<message_descriptor> messages;  // at index number; gaps have no `run`

  const message_descriptor* find(message_no number) const {
    const auto at = static_cast<std::size_t>(number);
    return at < messages.size() && messages[at].run != nullptr ? &messages[at] : nullptr;
  }
};

template <int Number, class Message>
struct numbered {
  static_assert(Number > 0 && Number < 256);
  static constexpr message_no number{Number};
  using type = Message;
};

template <class... Numbered>
struct messages {};

namespace kind_detail {

template <class Message, class... N>
constexpr message_no number_in(messages<N...>) {
  message_no found{};
  ((std::is_same_v<typename N::type, Message> ? void(found = N::number) : void()), ...);
  return found;
}

template <class Reply>
handled as_handled(const result<Reply>& r) {
  if (r.has_value()) return {handled::status::ok, encode(r.assume_value())};
  return {handled::status::rejected, encode(r.assume_error())};
}

template <class Self, class Kind, class Message>
handled run(entity_base& base, std::string_view body) {
  Message message;
  if (!decode(body, message)) return {handled::status::malformed, {}};
  return as_handled(static_cast<Self&>(static_cast<Kind&>(base)).on(message));
}

template <class Self, class Kind, bool IsQuery, class... N>
void add(std::vector<message_descriptor>& out, messages<N...>) {
  const auto one = [&](message_no number, std::string name, handled (*run)(entity_base&, std::string_view)) {
    const auto at = static_cast<std::size_t>(number);
    if (out.size() <= at) out.resize(at + 1);
    TROUPE_ASSERT(out[at].run == nullptr, "two messages of one kind with the same number: " + name);
    out[at] = {number, std::move(name), IsQuery, run};
  };
  (one(N::number, boost::core::type_name<typename N::type>(), &run<Self, Kind, typename N::type>), ...);
}

}  // namespace kind_detail

/// Gives a kind `number_of<Message>()`; put it in the class after `commands` and `queries`.
#define TROUPE_NUMBERED_MESSAGES                                                           \
  template <class Message>                                                                 \
  static constexpr ::troupe::message_no number_of() {                                      \
    constexpr auto command = ::troupe::kind_detail::number_in<Message>(commands{});        \
    constexpr auto query = ::troupe::kind_detail::number_in<Message>(queries{});           \
    static_assert(command != ::troupe::message_no{} || query != ::troupe::message_no{},    \
                  "this kind does not list that message");                                 \
    return command != ::troupe::message_no{} ? command : query;                            \
  }                                                                                        \
  template <class Message>                                                                 \
  static constexpr bool is_query() {                                                       \
    return ::troupe::kind_detail::number_in<Message>(queries{}) != ::troupe::message_no{}; \
  }

template <class Kind>
kind_descriptor describe_kind() {
  kind_descriptor d;
  d.options = Kind::options;
  d.make = [] { return std::unique_ptr<entity_base>{std::make_unique<Kind>()}; };
  kind_detail::add<Kind, Kind, false>(d.messages, typename Kind::commands{});
  kind_detail::add<const Kind, Kind, true>(d.messages, typename Kind::queries{});
  return d;
}

/// All kinds of a process. Numbers and names are unique; that is checked when the registry is made.
class kind_registry {
 public:
  explicit kind_registry(std::vector<kind_descriptor> kinds);

  const kind_descriptor* find(kind_id id) const {
    const auto at = static_cast<std::size_t>(id);
    return at < by_id_.size() && by_id_[at].make != nullptr ? &by_id_[at] : nullptr;
  }
  const kind_descriptor* find(std::string_view name) const;

 private:
  std::vector<kind_descriptor> by_id_;
};

}  // namespace troupe
