#include "cli/flash_sale/tokens.hpp"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <random>

#include "cli/flash_sale/client/endpoint.hpp"
#include "http_front/auth/access_token.hpp"
#include "http_front/auth/signing_keys.hpp"
#include "http_front/boot_error.hpp"
#include "runtime/base/random.hpp"

namespace troupe::flash_sale {
namespace {

constexpr const char* key_file = "signing_keys.json";
/// Longer than any sale, shorter than a day.
constexpr std::chrono::milliseconds token_life = std::chrono::hours{2};

/// Mints with one key for as long as it lives.
class token_press {
 public:
  explicit token_press(const std::filesystem::path& file)
      : signer_(std::make_shared<http::signing_keys>(http::load_or_create_keys(file))),
        ids_(std::random_device{}()) {}

  std::string mint(const user_id& user, role as) {
    const timestamp now{std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count()};
    http::access_claims claims;
    claims.user = user;
    claims.session = to_string(make_uuid_v7(now, ids_.next(), ids_.next()));
    claims.id = to_string(make_uuid_v7(now, ids_.next(), ids_.next()));
    claims.issued_at = now;
    claims.expires_at = now + token_life;
    claims.roles = {"user"};
    if (as == role::admin) claims.roles.emplace_back("admin");
    return signer_.mint(claims);
  }

 private:
  http::token_signer signer_;
  id_source ids_;
};

}  // namespace

token_source tokens_from(const std::filesystem::path& data) {
  const auto file = data / key_file;
  std::error_code error;
  // The server makes a key where there is none; a client that did so would mint tokens that nobody accepts.
  if (!std::filesystem::exists(file, error)) {
    throw client::environment_error(fmt::format(
        "There is no signing key at {}. Give --data the data directory of the server that is to be "
        "bought from, after its first start.",
        file.string()));
  }
  try {
    const auto press = std::make_shared<token_press>(file);
    return [press](const user_id& user, role as) { return press->mint(user, as); };
  } catch (const http::boot_error& fault) {
    throw client::environment_error(fmt::format("The signing key cannot be used: {}", fault.what()));
  }
}

}  // namespace troupe::flash_sale
