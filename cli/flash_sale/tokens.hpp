#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "runtime/base/uuid.hpp"

namespace troupe::flash_sale {

enum class role { user, admin };

/// An access token for a user: what stands behind `Authorization: Bearer`.
using token_source = std::function<std::string(const user_id&, role)>;

/// Tokens signed with the server's own key, read from its data directory. Throws client::environment_error
/// when there is no readable key.
token_source tokens_from(const std::filesystem::path& data);

}  // namespace troupe::flash_sale
