#include "http_front/auth/base64url.hpp"

#include <sodium.h>

#include <array>
#include <cstdint>

namespace troupe::http {
namespace {

constexpr int variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
constexpr std::uint8_t no_value = 0xff;

constexpr auto values = [] {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<std::uint8_t, 256> table{};
  table.fill(no_value);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

}  // namespace

void append_base64url(std::string& out, std::string_view bytes) {
  const auto at = out.size();
  const auto room = sodium_base64_encoded_len(bytes.size(), variant);  // with its terminating zero
  out.resize(at + room);
  sodium_bin2base64(out.data() + at, room, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    variant);
  out.pop_back();
}

// By table: libsodium's takes the same time for any input, which costs half of a token's check, and what is
// read here is what a client sent.
bool read_base64url(std::string_view text, std::string& out) {
  if (text.size() % 4 == 1) return false;
  out.resize(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const auto value = values[static_cast<std::uint8_t>(c)];
    if (value == no_value) return false;
    bits = bits << 6 | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out[at++] = static_cast<char>(bits >> held);
  }
  return (bits & ((1U << held) - 1)) == 0;
}

}  // namespace troupe::http
