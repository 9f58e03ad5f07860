#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/entity/route.hpp"
#include "runtime/host/command.hpp"

namespace troupe::http {

/// 1 to 255 visible ASCII characters.
bool is_idempotency_key(std::string_view text);

/// The 16 bytes that a principal's key stands for: BLAKE2b-128 of (user, 0, key). Callers without a token
/// share the nil user, so there the fingerprint is what keeps two clients with one key apart.
std::string key_id(const user_id& user, std::string_view key);

/// What names a command for ever: the key and the entity it is meant for. Entities share shards, and whether
/// a key means another command at another entity must not depend on which (docs/decisions/005).
command_id command_id_for(std::string_view key_id, const entity_ref& target);

/// Of the request as it was sent; the same key with another fingerprint is refused.
std::uint64_t fingerprint(const route& route,
                          const std::vector<std::pair<std::string_view, std::string>>& path,
                          std::string_view query, std::string_view body);

}  // namespace troupe::http
