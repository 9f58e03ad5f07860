#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http_front/auth/signing_keys.hpp"
#include "runtime/base/time.hpp"
#include "runtime/base/uuid.hpp"
#include "runtime/entity/route.hpp"

namespace troupe::http {

/// What an access token says: a JWT with alg HS256, iss and aud `troupe`.
struct access_claims {
  user_id user;         // sub
  std::string session;  // sid
  std::string id;       // jti
  timestamp issued_at;
  timestamp expires_at;  // whole seconds count
  std::vector<std::string> roles;

  bool has_role(std::string_view role) const;
  principal to_principal() const { return {user, has_role("admin"), true}; }
};

enum class token_fault : std::uint8_t {
  none,
  malformed,
  wrong_algorithm,
  unknown_key,
  bad_signature,
  wrong_claims,
  expired,
  not_yet
};
/// For the client; says nothing about the keys.
std::string_view to_string(token_fault fault);

/// Signs and checks access tokens. Holds OpenSSL contexts that are used again for each token, so one object a
/// thread. The algorithm is pinned: what a token's header says is compared, never obeyed.
class token_signer {
 public:
  explicit token_signer(std::shared_ptr<const signing_keys> keys);
  ~token_signer();
  token_signer(const token_signer&) = delete;
  token_signer& operator=(const token_signer&) = delete;

  std::string mint(const access_claims& claims);
  /// `claims` is only meaningful when the answer is none.
  token_fault verify(std::string_view token, timestamp now, access_claims& claims);

 private:
  struct prepared;
  prepared* key_for_header(std::string_view encoded, token_fault& fault);

  std::shared_ptr<const signing_keys> keys_;
  std::vector<std::unique_ptr<prepared>> prepared_;
};

}  // namespace troupe::http
