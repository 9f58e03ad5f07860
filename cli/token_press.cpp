#include "cli/token_press.hpp"

#include <random>

#include "http_front/auth/access_token.hpp"
#include "http_front/auth/signing_keys.hpp"
#include "http_front/boot_error.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/base/random.hpp"

namespace troupe::cli {

std::filesystem::path key_file_of(const std::filesystem::path& data) { return data / "signing_keys.json"; }

struct token_press::impl {
  http::token_signer signer;
  id_source ids{std::random_device{}()};
};

token_press::token_press(const std::filesystem::path& data, missing_key when_missing) {
  const auto file = key_file_of(data);
  std::error_code ignored;
  if (when_missing == missing_key::refuse && !std::filesystem::exists(file, ignored)) {
    throw http::boot_error("There is no signing key at " + file.string() +
                           ". Give --data the data directory of the server, after its first start.");
  }
  impl_.reset(
      new impl{http::token_signer{std::make_shared<http::signing_keys>(http::load_or_create_keys(file))}});
}

token_press::~token_press() = default;

std::string token_press::mint(const user_id& user, token_role role, std::chrono::milliseconds life) {
  const auto now = system_clock{}.wall();
  const auto fresh = [&] {
    const auto high = impl_->ids.next();
    return to_string(make_uuid_v7(now, high, impl_->ids.next()));
  };
  http::access_claims claims;
  claims.user = user;
  claims.session = fresh();
  claims.id = fresh();
  claims.issued_at = now;
  claims.expires_at = now + life;
  claims.roles = {"user"};
  if (role == token_role::admin) claims.roles.emplace_back("admin");
  return impl_->signer.mint(claims);
}

}  // namespace troupe::cli
