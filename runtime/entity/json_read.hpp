#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/entity/codec.hpp"

/// Described structs from parsed JSON: every field that is not optional must be there, unknown members are
/// refused, and each fault is reported with its JSON pointer (RFC 6901).
namespace troupe {

struct field_error {
  std::string pointer;
  std::string detail;
  friend bool operator==(const field_error&, const field_error&) = default;
};
TROUPE_DESCRIBE(field_error, pointer, detail)

namespace json_detail {

inline std::string child(const std::string& pointer, std::string_view name) {
  std::string out = pointer + "/";
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

template <class T>
bool read_integer(const boost::json::value& json, T& value) {
  boost::system::error_code error;
  if (!json.is_int64() && !json.is_uint64()) return false;
  value = json.to_number<T>(error);
  return !error;
}

}  // namespace json_detail

template <class T>
void read_json(const boost::json::value& json, T& value, const std::string& pointer,
               std::vector<field_error>& errors);

template <described_struct T>
void read_json_object(const boost::json::object& json, T& value, const std::string& pointer,
                      std::vector<field_error>& errors) {
  std::size_t known = 0;
  for_each_field<T>([&](std::uint32_t, auto descriptor) {
    using field = std::remove_cvref_t<decltype(value.*descriptor.pointer)>;
    if constexpr (!std::is_same_v<field, retired>) {
      static const std::string name = camel_case(descriptor.name);
      const auto* member = json.if_contains(name);
      if (member != nullptr) {
        ++known;
        read_json(*member, value.*descriptor.pointer, json_detail::child(pointer, name), errors);
      } else if constexpr (!codec_detail::is_optional<field>::value) {
        errors.push_back({json_detail::child(pointer, name), "is required"});
      }
    }
  });
  if (known == json.size()) return;
  for (const auto& member : json) {
    bool found = false;
    for_each_field<T>([&](std::uint32_t, auto descriptor) {
      using field = std::remove_cvref_t<decltype(value.*descriptor.pointer)>;
      if (!std::is_same_v<field, retired> && camel_case(descriptor.name) == std::string_view{member.key()}) {
        found = true;
      }
    });
    if (!found) errors.push_back({json_detail::child(pointer, member.key()), "is not a known field"});
  }
}

template <class T>
void read_json(const boost::json::value& json, T& value, const std::string& pointer,
               std::vector<field_error>& errors) {
  const auto wrong = [&](const char* what) { errors.push_back({pointer, what}); };
  if constexpr (codec_detail::is_optional<T>::value) {
    if (json.is_null()) {
      value.reset();
    } else {
      read_json(json, value.emplace(), pointer, errors);
    }
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_bool()) return wrong("must be true or false");
    value = json.get_bool();
  } else if constexpr (std::is_integral_v<T>) {
    if (!json_detail::read_integer(json, value)) wrong("must be an integer that fits its range");
  } else if constexpr (described_enum<T>) {
    if (!json.is_string() || !enum_from_name(std::string_view{json.get_string()}, value)) {
      wrong("is not one of the allowed values");
    }
  } else if constexpr (std::is_same_v<T, uuid>) {
    const auto id = json.is_string() ? parse_uuid(std::string_view{json.get_string()}) : std::nullopt;
    if (!id) return wrong("must be a UUID");
    value = *id;
  } else if constexpr (std::is_same_v<T, timestamp>) {
    const auto at = json.is_string() ? parse_rfc3339(std::string_view{json.get_string()}) : std::nullopt;
    if (!at) return wrong("must be an RFC 3339 time");
    value = *at;
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!json.is_string()) return wrong("must be a string");
    value.assign(std::string_view{json.get_string()});
  } else if constexpr (codec_detail::is_vector<T>::value) {
    if (!json.is_array()) return wrong("must be an array");
    for (std::size_t i = 0; i < json.get_array().size(); ++i) {
      read_json(json.get_array()[i], value.emplace_back(), pointer + "/" + std::to_string(i), errors);
    }
  } else {
    if (!json.is_object()) return wrong("must be an object");
    read_json_object(json.get_object(), value, pointer, errors);
  }
}

/// Whether the body says `"name": null`, which an optional field reads like an absent one: in a PATCH null
/// clears.
inline bool says_null(const boost::json::value* body, std::string_view name) {
  if (body == nullptr || !body->is_object()) return false;
  const auto* member = body->get_object().if_contains(name);
  return member != nullptr && member->is_null();
}

}  // namespace troupe
