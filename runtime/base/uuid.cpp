#include "runtime/base/uuid.hpp"

namespace troupe {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void stamp(uuid& id, std::uint8_t version) {
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | (version << 4));
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
}

}  // namespace

uuid make_uuid_v7(timestamp at, std::uint64_t high, std::uint64_t low) {
  uuid id;
  const auto ms = static_cast<std::uint64_t>(at.ms);
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  for (std::size_t i = 0; i < 2; ++i) id.bytes[6 + i] = static_cast<std::uint8_t>(high >> (8 * i));
  for (std::size_t i = 0; i < 8; ++i) id.bytes[8 + i] = static_cast<std::uint8_t>(low >> (8 * i));
  stamp(id, 7);
  return id;
}

uuid make_numbered_uuid_v7(timestamp at, std::uint64_t salt, std::uint64_t number) {
  uuid id = make_uuid_v7(at, salt, salt >> 16);
  for (std::size_t i = 0; i < 7; ++i) id.bytes[9 + i] = static_cast<std::uint8_t>(number >> (48 - 8 * i));
  return id;
}

std::uint64_t number_in(const uuid& id) {
  std::uint64_t number = 0;
  for (std::size_t i = 9; i < 16; ++i) number = number << 8 | id.bytes[i];
  return number;
}

timestamp time_in(const uuid& id) {
  std::uint64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | id.bytes[i];
  return {static_cast<std::int64_t>(ms)};
}

uuid make_uuid_v8(std::string_view sixteen_bytes) {
  uuid id = uuid_from_bytes(sixteen_bytes).value_or(uuid{});
  stamp(id, 8);
  return id;
}

std::optional<uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  uuid id;
  std::size_t out = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i++] != '-') return std::nullopt;
      continue;
    }
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[out++] = static_cast<std::uint8_t>(high * 16 + low);
    i += 2;
  }
  return id;
}

std::optional<uuid> uuid_from_bytes(std::string_view bytes) {
  if (bytes.size() != 16) return std::nullopt;
  uuid id;
  std::memcpy(id.bytes.data(), bytes.data(), 16);
  return id;
}

void append_to(std::string& out, const uuid& id) {
  char text[36];
  std::size_t at = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
    text[at++] = hex_digits[id.bytes[i] >> 4];
    text[at++] = hex_digits[id.bytes[i] & 0x0f];
  }
  out.append(text, at);
}

std::string to_string(const uuid& id) {
  std::string out;
  append_to(out, id);
  return out;
}

}  // namespace troupe
