#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "runtime/base/bytes.hpp"
#include "runtime/base/time.hpp"
#include "runtime/base/uuid.hpp"
#include "runtime/entity/describe.hpp"

/// The durable encoding of described structs. A struct is its fields, each as (number << 1 | shape) and a
/// value; shape 0 is a varint, shape 1 is length and bytes. Fields equal to their default are left out;
/// unknown numbers are skipped. So a row written before a field was added, or after one was retired, still
/// reads.
namespace troupe {

template <class T>
void encode_value(std::string& out, const T& value);
template <class T>
void decode_value(byte_reader& in, T& value);

template <described_struct T>
void encode_fields(std::string& out, const T& value);
template <described_struct T>
void decode_fields(byte_reader& in, T& value);

namespace codec_detail {

template <class T>
inline constexpr bool is_varint = std::is_integral_v<T> || std::is_enum_v<T> || std::is_same_v<T, timestamp>;

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};
template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};
template <class T>
struct is_map : std::false_type {};
template <class K, class V>
struct is_map<std::map<K, V>> : std::true_type {};

template <class T>
void encode_varint(byte_writer& w, const T& value) {
  if constexpr (std::is_same_v<T, timestamp>) {
    w.zigzag(value.ms);
  } else if constexpr (std::is_enum_v<T>) {
    w.varint(static_cast<std::uint64_t>(value));
  } else if constexpr (std::is_signed_v<T>) {
    w.zigzag(value);
  } else {
    w.varint(value);
  }
}

template <class T>
void decode_varint(byte_reader& in, T& value) {
  if constexpr (std::is_same_v<T, timestamp>) {
    value.ms = in.zigzag();
  } else if constexpr (std::is_enum_v<T>) {
    const std::uint64_t wide = in.varint();
    value = static_cast<T>(wide);
    if (static_cast<std::uint64_t>(value) != wide) in.fail();
  } else if constexpr (std::is_signed_v<T>) {
    const std::int64_t wide = in.zigzag();
    value = static_cast<T>(wide);
    if (static_cast<std::int64_t>(value) != wide) in.fail();
  } else {
    const std::uint64_t wide = in.varint();
    value = static_cast<T>(wide);
    if (static_cast<std::uint64_t>(value) != wide) in.fail();
  }
}

/// The bytes of a length-delimited value, without the length.
template <class T>
void encode_body(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    out.append(value);
  } else if constexpr (std::is_same_v<T, uuid>) {
    out.append(value.view());
  } else if constexpr (is_optional<T>::value) {
    encode_value(out, *value);
  } else if constexpr (is_vector<T>::value) {
    for (const auto& element : value) encode_value(out, element);
  } else if constexpr (is_map<T>::value) {
    for (const auto& [key, element] : value) {
      encode_value(out, key);
      encode_value(out, element);
    }
  } else {
    encode_fields(out, value);
  }
}

template <class T>
void decode_body(byte_reader& outer, std::string_view body, T& value) {
  byte_reader in{body};
  if constexpr (std::is_same_v<T, std::string>) {
    value.assign(body);
  } else if constexpr (std::is_same_v<T, uuid>) {
    const auto id = uuid_from_bytes(body);
    if (id) {
      value = *id;
    } else {
      outer.fail();
    }
  } else if constexpr (is_optional<T>::value) {
    decode_value(in, value.emplace());
  } else if constexpr (is_vector<T>::value) {
    value.clear();
    while (in.ok() && !in.at_end()) decode_value(in, value.emplace_back());
  } else if constexpr (is_map<T>::value) {
    value.clear();
    while (in.ok() && !in.at_end()) {
      typename T::key_type key{};
      decode_value(in, key);
      decode_value(in, value[key]);
    }
  } else {
    decode_fields(in, value);
  }
  if (!in.ok()) outer.fail();
}

template <class T>
std::size_t varint_size(const T& size) {
  std::size_t bytes = 1;
  for (auto rest = size; rest >= 0x80; rest >>= 7) ++bytes;
  return bytes;
}

/// Writes the length before a body whose size is only known afterwards: one byte is kept free, which is
/// enough for bodies up to 127 bytes, and a longer body is moved.
template <class T>
void encode_sized(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    byte_writer{out}.sized(value);
  } else {
    const std::size_t length_at = out.size();
    out.push_back('\0');
    encode_body(out, value);
    const std::size_t size = out.size() - length_at - 1;
    if (size < 0x80) {
      out[length_at] = static_cast<char>(size);
    } else {
      std::string length;
      byte_writer{length}.varint(size);
      out.replace(length_at, 1, length);
    }
  }
}

}  // namespace codec_detail

template <class T>
void encode_value(std::string& out, const T& value) {
  if constexpr (codec_detail::is_varint<T>) {
    byte_writer w{out};
    codec_detail::encode_varint(w, value);
  } else {
    codec_detail::encode_sized(out, value);
  }
}

template <class T>
void decode_value(byte_reader& in, T& value) {
  if constexpr (codec_detail::is_varint<T>) {
    codec_detail::decode_varint(in, value);
  } else {
    codec_detail::decode_body(in, in.sized(), value);
  }
}

template <described_struct T>
void encode_fields(std::string& out, const T& value) {
  static const T defaults{};
  for_each_field<T>([&](std::uint32_t number, auto descriptor) {
    using field = std::remove_cvref_t<decltype(value.*descriptor.pointer)>;
    if constexpr (!std::is_same_v<field, retired>) {
      const field& current = value.*descriptor.pointer;
      if (current == defaults.*descriptor.pointer) return;
      // An absent optional cannot be told from a default that is set; such a default makes no sense.
      if constexpr (codec_detail::is_optional<field>::value) {
        if (!current) return;
      }
      byte_writer{out}.varint(number << 1 | (codec_detail::is_varint<field> ? 0U : 1U));
      encode_value(out, current);
    }
  });
}

template <described_struct T>
void decode_fields(byte_reader& in, T& value) {
  while (in.ok() && !in.at_end()) {
    const std::uint64_t tag = in.varint();
    const bool sized = (tag & 1) != 0;
    bool known = false;
    for_each_field<T>([&](std::uint32_t number, auto descriptor) {
      using field = std::remove_cvref_t<decltype(value.*descriptor.pointer)>;
      if constexpr (!std::is_same_v<field, retired>) {
        if (!known && tag >> 1 == number && sized != codec_detail::is_varint<field>) {
          decode_value(in, value.*descriptor.pointer);
          known = true;
        }
      }
    });
    if (known) continue;
    if (sized) {
      in.sized();
    } else {
      in.varint();
    }
  }
}

/// Most values are smaller: one allocation instead of one at each doubling.
inline constexpr std::size_t encoded_bytes_guess = 120;

template <described_struct T>
std::string encode(const T& value) {
  std::string out;
  out.reserve(encoded_bytes_guess);
  encode_fields(out, value);
  return out;
}

/// False when the bytes are not an encoding of T; `value` is then unspecified.
template <described_struct T>
[[nodiscard]] bool decode(std::string_view bytes, T& value) {
  byte_reader in{bytes};
  decode_fields(in, value);
  return in.ok();
}

}  // namespace troupe
