#include "cli/flash_sale/tokens.hpp"

#include <chrono>
#include <memory>

#include "cli/flash_sale/client/endpoint.hpp"
#include "cli/token_press.hpp"
#include "http_front/boot_error.hpp"

namespace troupe::flash_sale {

/// Longer than any sale, shorter than a day.
constexpr std::chrono::milliseconds token_life = std::chrono::hours{2};

token_source tokens_from(const std::filesystem::path& data) {
  try {
    const auto press = std::make_shared<cli::token_press>(data, cli::token_press::missing_key::refuse);
    return [press](const user_id& user, role as) {
      return press->mint(user, as == role::admin ? cli::token_role::admin : cli::token_role::user,
                         token_life);
    };
  } catch (const http::boot_error& fault) {
    throw client::environment_error(fault.what());
  }
}

}  // namespace troupe::flash_sale
