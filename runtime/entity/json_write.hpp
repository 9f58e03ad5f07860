#pragma once

#include <charconv>
#include <string>
#include <string_view>

#include "runtime/entity/codec.hpp"

/// JSON text of described structs, written straight into a string: names in camelCase, times as RFC 3339,
/// empty optionals left out.
namespace troupe {

/// With quotes. The text must be UTF-8; whatever came from outside was checked at the edge.
inline void write_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t clean = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(clean, i - clean));
    clean = i + 1;
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c == '\n') {
      out.append("\\n");
    } else {
      constexpr char digits[] = "0123456789abcdef";
      out.append("\\u00");
      out.push_back(digits[c >> 4]);
      out.push_back(digits[c & 15]);
    }
  }
  out.append(text.substr(clean));
  out.push_back('"');
}

template <class T>
void write_json(std::string& out, const T& value);

template <described_struct T>
void write_json_members(std::string& out, const T& value, bool& first) {
  for_each_field<T>([&](std::uint32_t, auto descriptor) {
    using field = std::remove_cvref_t<decltype(value.*descriptor.pointer)>;
    if constexpr (!std::is_same_v<field, retired>) {
      const field& member = value.*descriptor.pointer;
      if constexpr (codec_detail::is_optional<field>::value) {
        if (!member) return;
      }
      static const std::string name = "\"" + camel_case(descriptor.name) + "\":";
      if (!first) out.push_back(',');
      first = false;
      out.append(name);
      if constexpr (codec_detail::is_optional<field>::value) {
        write_json(out, *member);
      } else {
        write_json(out, member);
      }
    }
  });
}

template <class T>
void write_json(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out.append(value ? "true" : "false");
  } else if constexpr (std::is_integral_v<T>) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out.append(text, end);
  } else if constexpr (described_enum<T>) {
    write_json_string(out, enum_name(value));
  } else if constexpr (std::is_same_v<T, uuid> || std::is_same_v<T, timestamp>) {
    out.push_back('"');
    append_to(out, value);
    out.push_back('"');
  } else if constexpr (std::is_same_v<T, std::string>) {
    write_json_string(out, value);
  } else if constexpr (codec_detail::is_vector<T>::value) {
    out.push_back('[');
    bool first = true;
    for (const auto& element : value) {
      if (!first) out.push_back(',');
      first = false;
      write_json(out, element);
    }
    out.push_back(']');
  } else {
    out.push_back('{');
    bool first = true;
    write_json_members(out, value, first);
    out.push_back('}');
  }
}

}  // namespace troupe
