#pragma once

#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <compare>
#include <string>
#include <string_view>
#include <type_traits>

/// Describes a struct once, for JSON, messages and stored bytes. Field order is for ever: it numbers the
/// fields in the log and on disk. New fields go last, with a default; a field that goes away becomes
/// `troupe::retired`.
#define TROUPE_DESCRIBE(type, ...) BOOST_DESCRIBE_STRUCT(type, (), (__VA_ARGS__))
/// Describes an enum: JSON uses the names, stored bytes use the numbers.
#define TROUPE_DESCRIBE_ENUM(type, ...) BOOST_DESCRIBE_ENUM(type, __VA_ARGS__)

namespace troupe {

/// Stands where a removed field was, so that the numbers of its neighbours stay. Encodes as nothing, skips
/// what an old row holds there, and does not exist in JSON.
struct retired {
  friend auto operator<=>(const retired&, const retired&) = default;
};

template <class T>
concept described_struct = boost::describe::has_describe_members<T>::value && std::is_class_v<T>;

template <class T>
concept described_enum = boost::describe::has_describe_enumerators<T>::value;

template <class T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_public>;

/// Calls f(number, descriptor) for each described field; numbers start at 1.
template <described_struct T, class F>
constexpr void for_each_field(F&& f) {
  std::uint32_t number = 0;
  boost::mp11::mp_for_each<members_of<T>>([&](auto descriptor) { f(++number, descriptor); });
}

/// snake_case in C++, camelCase outside.
inline std::string camel_case(std::string_view snake) {
  std::string out;
  bool raise = false;
  for (const char c : snake) {
    if (c == '_') {
      raise = true;
    } else {
      out.push_back(raise && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
      raise = false;
    }
  }
  return out;
}

template <described_enum E>
std::string_view enum_name(E value) {
  std::string_view name;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
    if (d.value == value) name = d.name;
  });
  return name;
}

template <described_enum E>
bool enum_from_name(std::string_view name, E& value) {
  bool found = false;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
    if (name == d.name) {
      value = d.value;
      found = true;
    }
  });
  return found;
}

}  // namespace troupe
