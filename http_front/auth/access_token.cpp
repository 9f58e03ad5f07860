#include "http_front/auth/access_token.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <optional>

#include "http_front/auth/base64url.hpp"
#include "runtime/base/assert.hpp"
#include "runtime/entity/json_write.hpp"

namespace troupe::http {

/// What frees OpenSSL's objects. Not in the unnamed namespace: a member of a class that a header names has
/// its type.
struct free_mac {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

namespace {

constexpr std::string_view issuer = "troupe";
constexpr std::size_t token_chars_max = 4096;
constexpr std::int64_t clock_skew_ms = 60'000;
constexpr std::int64_t time_max_s = 253'402'300'799;  // the end of year 9999
using signature = std::array<unsigned char, 32>;

std::unique_ptr<EVP_MAC_CTX, free_mac> make_context(const signing_key& key) {
  const std::unique_ptr<EVP_MAC, free_mac> mac{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
  TROUPE_ASSERT(mac != nullptr, "OpenSSL has no HMAC");
  std::unique_ptr<EVP_MAC_CTX, free_mac> context{EVP_MAC_CTX_new(mac.get())};
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  const bool ready =
      context && EVP_MAC_init(context.get(), key.secret.data(), key.secret.size(), parameters) == 1;
  TROUPE_ASSERT(ready, "OpenSSL cannot do HMAC-SHA256");
  return context;
}

std::string_view text_of(const boost::json::object& json, std::string_view name) {
  const auto* member = json.if_contains(name);
  return member != nullptr && member->is_string() ? std::string_view{member->get_string()}
                                                  : std::string_view{};
}

bool time_of(const boost::json::object& json, std::string_view name, timestamp& out) {
  const auto* member = json.if_contains(name);
  if (member == nullptr || !member->is_int64()) return false;
  const auto seconds = member->get_int64();
  if (seconds < 0 || seconds > time_max_s) return false;
  out.ms = seconds * 1000;
  return true;
}

bool read_roles(const boost::json::object& json, std::vector<std::string>& out) {
  const auto* member = json.if_contains("roles");
  if (member == nullptr || !member->is_array()) return false;
  for (const auto& role : member->get_array()) {
    if (!role.is_string()) return false;
    out.emplace_back(std::string_view{role.get_string()});
  }
  return true;
}

token_fault read_claims(const boost::json::object& json, timestamp now, access_claims& claims) {
  const auto user = parse_uuid(text_of(json, "sub"));
  const bool ours = text_of(json, "iss") == issuer && text_of(json, "aud") == issuer;
  claims.session = text_of(json, "sid");
  claims.id = text_of(json, "jti");
  claims.roles.clear();
  if (!ours || !user || user->is_nil() || claims.session.empty() || claims.id.empty())
    return token_fault::wrong_claims;
  if (!time_of(json, "iat", claims.issued_at) || !time_of(json, "exp", claims.expires_at)) {
    return token_fault::wrong_claims;
  }
  if (!read_roles(json, claims.roles)) return token_fault::wrong_claims;
  claims.user = *user;
  if (claims.expires_at <= now) return token_fault::expired;
  if (claims.issued_at.ms > now.ms + clock_skew_ms) return token_fault::not_yet;
  timestamp not_before;
  if (json.contains("nbf") && !time_of(json, "nbf", not_before)) return token_fault::wrong_claims;
  if (not_before.ms > now.ms + clock_skew_ms) return token_fault::not_yet;
  return token_fault::none;
}

}  // namespace

struct token_signer::prepared {
  std::string kid;
  std::string header;  // as this class writes it, encoded
  std::unique_ptr<EVP_MAC_CTX, free_mac> context;

  signature sign(std::string_view text) {
    signature out{};
    std::size_t size = 0;
    const bool done = EVP_MAC_init(context.get(), nullptr, 0, nullptr) == 1 &&
                      EVP_MAC_update(context.get(), reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size()) == 1 &&
                      EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1;
    TROUPE_ASSERT(done && size == out.size(), "HMAC-SHA256 failed");
    return out;
  }
};

bool access_claims::has_role(std::string_view role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

std::string_view to_string(token_fault fault) {
  switch (fault) {
    case token_fault::none:
      return "the token is good";
    case token_fault::malformed:
      return "it is not a token of this server";
    case token_fault::wrong_algorithm:
      return "its algorithm is not HS256";
    case token_fault::unknown_key:
      return "its signing key is not known, or no longer";
    case token_fault::bad_signature:
      return "its signature does not match";
    case token_fault::wrong_claims:
      return "its claims are not those of an access token of this server";
    case token_fault::expired:
      return "it has expired";
    case token_fault::not_yet:
      return "it is not valid yet";
  }
  return "?";
}

token_signer::token_signer(std::shared_ptr<const signing_keys> keys) : keys_(std::move(keys)) {
  for (const auto& key : keys_->all()) {
    std::string header = R"({"alg":"HS256","kid":)";
    write_json_string(header, key.kid);
    header += R"(,"typ":"JWT"})";
    auto& made = prepared_.emplace_back(std::make_unique<prepared>());
    made->kid = key.kid;
    append_base64url(made->header, header);
    made->context = make_context(key);
  }
}

token_signer::~token_signer() = default;

std::string token_signer::mint(const access_claims& claims) {
  std::string body = R"({"iss":"troupe","aud":"troupe","sub":)";
  write_json(body, claims.user);
  body += R"(,"sid":)";
  write_json(body, claims.session);
  body += R"(,"jti":)";
  write_json(body, claims.id);
  body += R"(,"iat":)";
  write_json(body, claims.issued_at.ms / 1000);
  body += R"(,"exp":)";
  write_json(body, claims.expires_at.ms / 1000);
  body += R"(,"roles":)";
  write_json(body, claims.roles);
  body += '}';
  auto& key = *prepared_.front();
  std::string token = key.header + '.';
  append_base64url(token, body);
  const auto mac = key.sign(token);
  token += '.';
  append_base64url(token, {reinterpret_cast<const char*>(mac.data()), mac.size()});
  return token;
}

token_signer::prepared* token_signer::key_for_header(std::string_view encoded, token_fault& fault) {
  for (const auto& key : prepared_) {
    if (key->header == encoded) return key.get();
  }
  // Another writer may order the header differently.
  std::string text;
  fault = token_fault::malformed;
  if (!read_base64url(encoded, text)) return nullptr;
  boost::json::error_code error;
  const auto json = boost::json::parse(text, error);
  if (error || !json.is_object()) return nullptr;
  const auto& object = json.get_object();
  fault = token_fault::wrong_algorithm;
  if (text_of(object, "alg") != "HS256" || object.contains("crit")) return nullptr;
  fault = token_fault::unknown_key;
  const auto kid = text_of(object, "kid");
  const auto at =
      std::find_if(prepared_.begin(), prepared_.end(), [&](const auto& key) { return key->kid == kid; });
  return at == prepared_.end() ? nullptr : at->get();
}

token_fault token_signer::verify(std::string_view token, timestamp now, access_claims& claims) {
  if (token.size() > token_chars_max) return token_fault::malformed;
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return token_fault::malformed;
  token_fault fault = token_fault::malformed;
  auto* key = key_for_header(token.substr(0, first), fault);
  if (key == nullptr) return fault;

  std::string bytes;
  if (!read_base64url(token.substr(last + 1), bytes)) return token_fault::malformed;
  const auto expected = key->sign(token.substr(0, last));
  if (bytes.size() != expected.size() || CRYPTO_memcmp(bytes.data(), expected.data(), expected.size()) != 0) {
    return token_fault::bad_signature;
  }
  // Signed by us from here on; still only read, never trusted to be well-formed.
  if (!read_base64url(token.substr(first + 1, last - first - 1), bytes)) return token_fault::malformed;
  std::array<unsigned char, 2048> stack;
  boost::json::monotonic_resource memory{stack.data(), stack.size()};
  boost::json::error_code error;
  const auto json = boost::json::parse(bytes, error, &memory);
  if (error || !json.is_object()) return token_fault::malformed;
  return read_claims(json.get_object(), now, claims);
}

}  // namespace troupe::http
