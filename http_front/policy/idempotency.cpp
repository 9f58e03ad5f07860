#include "http_front/policy/idempotency.hpp"

#include <sodium.h>

#include <algorithm>

#include "runtime/base/hash.hpp"

namespace troupe::http {
namespace {

constexpr std::size_t key_chars_max = 255;
constexpr std::size_t id_bytes = 16;

}  // namespace

bool is_idempotency_key(std::string_view text) {
  return !text.empty() && text.size() <= key_chars_max &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string key_id(const user_id& user, std::string_view key) {
  std::array<unsigned char, 16 + 1 + key_chars_max> named{};
  std::copy(user.bytes.begin(), user.bytes.end(), named.begin());
  std::copy(key.begin(), key.end(), named.begin() + 17);
  std::string id(id_bytes, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(id.data()), id.size(), named.data(), 17 + key.size(),
                     nullptr, 0);
  return id;
}

command_id command_id_for(std::string_view key_id, const entity_ref& target) {
  auto id = uuid_from_bytes(key_id).value_or(uuid{});
  const auto kind = static_cast<std::uint64_t>(target.kind);
  for (std::size_t half = 0; half < 2; ++half) {
    const auto mixed = stable_hash(target.key, kind << 1U | half);
    for (std::size_t i = 0; i < 8; ++i) id.bytes[half * 8 + i] ^= static_cast<std::uint8_t>(mixed >> (8 * i));
  }
  return id;
}

std::uint64_t fingerprint(const route& route,
                          const std::vector<std::pair<std::string_view, std::string>>& path,
                          std::string_view query, std::string_view body) {
  std::uint64_t hash = stable_hash(route.path, static_cast<std::uint64_t>(route.method));
  for (const auto& [name, value] : path) hash = stable_hash(value, hash);
  if (!query.empty()) hash = stable_hash(query, hash);
  return stable_hash(body, hash);
}

}  // namespace troupe::http
