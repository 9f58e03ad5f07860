#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "runtime/base/bytes.hpp"
#include "runtime/base/time.hpp"
#include "runtime/base/uuid.hpp"
#include "runtime/entity/describe.hpp"

/// Keys of rows, encoded so that the order of the bytes is the order of the values.
namespace troupe {

template <class T>
struct sort_key;

template <>
struct sort_key<std::uint64_t> {
  static void write(std::string& out, std::uint64_t value) { byte_writer{out}.u64_be(value); }
  static void read(byte_reader& in, std::uint64_t& value) { value = in.u64_be(); }
};

template <>
struct sort_key<timestamp> {
  static void write(std::string& out, timestamp value) {
    byte_writer{out}.u64_be(static_cast<std::uint64_t>(value.ms));
  }
  static void read(byte_reader& in, timestamp& value) { value.ms = static_cast<std::int64_t>(in.u64_be()); }
};

template <>
struct sort_key<uuid> {
  static void write(std::string& out, const uuid& value) { out.append(value.view()); }
  static void read(byte_reader& in, uuid& value) {
    const auto id = uuid_from_bytes(in.raw(16));
    if (id) {
      value = *id;
    } else {
      in.fail();
    }
  }
};

/// Zero bytes are escaped as 00 ff and the end is 00 01, so that a string sorts before its extensions.
template <>
struct sort_key<std::string> {
  static void write(std::string& out, const std::string& value) {
    for (const char c : value) {
      out.push_back(c);
      if (c == '\0') out.push_back('\xff');
    }
    out.append("\0\1", 2);
  }
  static void read(byte_reader& in, std::string& value) {
    value.clear();
    while (in.ok()) {
      const auto c = static_cast<char>(in.u8());
      if (c != '\0') {
        value.push_back(c);
      } else if (in.u8() == 0xff) {
        value.push_back('\0');
      } else {
        return;
      }
    }
  }
};

template <described_enum E>
struct sort_key<E> {
  static void write(std::string& out, E value) { byte_writer{out}.u8(static_cast<std::uint8_t>(value)); }
  static void read(byte_reader& in, E& value) { value = static_cast<E>(in.u8()); }
};

template <class... T>
struct sort_key<std::tuple<T...>> {
  static void write(std::string& out, const std::tuple<T...>& value) {
    std::apply(
        [&](const auto&... part) { (sort_key<std::remove_cvref_t<decltype(part)>>::write(out, part), ...); },
        value);
  }
  static void read(byte_reader& in, std::tuple<T...>& value) {
    std::apply([&](auto&... part) { (sort_key<std::remove_cvref_t<decltype(part)>>::read(in, part), ...); },
               value);
  }
};

template <class T>
std::string to_sort_key(const T& value) {
  std::string out;
  sort_key<T>::write(out, value);
  return out;
}

template <class T>
bool from_sort_key(std::string_view bytes, T& value) {
  byte_reader in{bytes};
  sort_key<T>::read(in, value);
  return in.ok() && in.at_end();
}

}  // namespace troupe
