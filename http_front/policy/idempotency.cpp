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

std::string command_id(const user_id& user, std::string_view key) {
  std::array<unsigned char, 16 + 1 + key_chars_max> named{};
  std::copy(user.bytes.begin(), user.bytes.end(), named.begin());
  std::copy(key.begin(), key.end(), named.begin() + 17);
  std::string id(id_bytes, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(id.data()), id.size(), named.data(), 17 + key.size(),
                     nullptr, 0);
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
