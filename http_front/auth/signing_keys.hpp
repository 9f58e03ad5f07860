#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::http {

/// One HS256 key. `kid` is its name in token headers.
struct signing_key {
  std::string kid;
  std::array<std::uint8_t, 32> secret{};
};

/// The keys of a cluster, at least one. The first one signs; all of them verify, so a new key is put first
/// and an old one is dropped when its last token has expired. Secrets never appear in logs or errors.
class signing_keys {
 public:
  /// Throws boot_error when there is none, or a kid that is empty, too long, repeated, or not visible ASCII.
  explicit signing_keys(std::vector<signing_key> keys);

  const signing_key& current() const { return keys_.front(); }
  const std::vector<signing_key>& all() const { return keys_; }
  /// Null when no key has that name.
  const signing_key* find(std::string_view kid) const;

 private:
  std::vector<signing_key> keys_;
};

/// Reads the key file, a JSON object {"keys":[{"kid":"…","secret":"<base64url>"}]}. Where there is no file it
/// makes one with a random key: complete or not at all, mode 0600, synced. Throws boot_error for a file that
/// others may read or write, or that is not a key file.
signing_keys load_or_create_keys(const std::filesystem::path& file);

}  // namespace troupe::http
