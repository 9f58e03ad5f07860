#include "http_front/gateway/gateway.hpp"

#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>

#include "http_front/codec/json_body.hpp"
#include "http_front/policy/idempotency.hpp"
#include "http_front/policy/loopback_host.hpp"
#include "http_front/policy/precondition.hpp"
#include "http_front/problem/problem.hpp"
#include "runtime/base/log.hpp"

namespace troupe::http {
namespace {

constexpr std::string_view json_media_type = "application/json";

/// The credentials of an Authorization header; empty when the scheme is another one.
std::string_view bearer_token(std::string_view value) {
  constexpr std::string_view scheme = "bearer ";
  if (value.size() <= scheme.size()) return {};
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = value[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != scheme[i]) return {};
  }
  return value.substr(scheme.size());
}

}  // namespace

front::front(server_options with, server_parts made_of)
    : options(std::move(with)),
      parts(std::move(made_of)),
      routes(parts.routes,
             options.compat ? route_table::compat_routes::served : route_table::compat_routes::absent),
      problems(parts.routes),
      started(parts.clock->wall()) {}

gateway::gateway(const front& shared, std::uint64_t seed)
    : front_(shared), signer_(shared.parts.keys), ids_(seed) {}

void gateway::begin(exchange& x) {
  x.trace.begin(x.head[header::traceparent], ids_);
  x.request_id = accepted_request_id(x.head[header::x_request_id]);
  x.request.now = front_.parts.clock->wall();
  x.request.id_seed = ids_.next();
}

gateway::step gateway::admit(exchange& x, std::unique_ptr<verified_token>& cache, response& answer) {
  try {
    return admit_routed(x, cache, answer);
  } catch (const std::exception& fault) {
    return lose(x, fault, answer);
  }
}

gateway::step gateway::take(exchange& x, response& answer) const {
  try {
    return take_admitted(x, answer);
  } catch (const std::exception& fault) {
    return lose(x, fault, answer);
  }
}

/// A binder or a library threw: nothing was submitted, this request alone is lost.
gateway::step gateway::lose(const exchange& x, const std::exception& fault, response& answer) const {
  spdlog::error("request failed in the front: {} trace={}", fault.what(), x.trace.id());
  answer.reset();
  refuse(x, front_problem::internal_error, {}, answer);
  return step::answered;
}

gateway::step gateway::admit_routed(exchange& x, std::unique_ptr<verified_token>& cache, response& answer) {
  if (!route(x, answer)) return step::answered;
  if (x.entry->page != local_page::none) {
    serve_page(x, answer);
    return step::answered;
  }
  if (!let_in(x, cache, answer) || !name_command(x, answer) || !check_versions(x, answer) ||
      !check_body_kind(x, answer))
    return step::answered;
  if (!parse_query(x.target.query, x.request.query)) {
    refuse(x, front_problem::malformed_request, "the query is not valid", answer);
    return step::answered;
  }
  x.is_admitted = true;
  return step::admitted;
}

gateway::step gateway::take_admitted(exchange& x, response& answer) const {
  const bool has_body = x.entry->what->has_body;
  if (!has_body && x.body.empty()) return bind(x, nullptr, answer);
  // Only now it is known that the chunks of a body that nobody asked for hold anything.
  if (!has_body && !check_media_type(x, answer)) return step::answered;

  std::array<unsigned char, 4096> stack;
  boost::json::monotonic_resource memory{stack.data(), stack.size()};
  boost::json::value json(boost::json::storage_ptr{&memory});
  const auto fault = parse_json_body(x.body, &memory, json);
  if (!fault.empty()) {
    refuse(x, front_problem::invalid_json, fault, answer);
    return step::answered;
  }
  if (has_body) return bind(x, &json, answer);
  if (json.get_object().empty()) return bind(x, nullptr, answer);
  refuse(x, front_problem::malformed_request, "this request takes no fields in its body", answer);
  return step::answered;
}

bool gateway::route(exchange& x, response& answer) const {
  switch (split_target(x.head.target, x.target)) {
    case target_fault::none:
      break;
    case target_fault::too_long:
      refuse(x, front_problem::target_too_long, {}, answer);
      return false;
    case target_fault::malformed:
      x.target = {};
      refuse(x, front_problem::malformed_request, "the request target is not valid", answer);
      return false;
  }
  const auto match = front_.routes.find(x.head.method, x.target.path, x.request.path);
  switch (match.what) {
    case route_table::outcome::found:
      x.entry = match.entry;
      x.request.list = match.entry->path;
      return true;
    case route_table::outcome::no_such_path:
      refuse(x, front_problem::not_found, {}, answer);
      return false;
    case route_table::outcome::no_such_method:
      refuse(x, front_problem::method_not_allowed, {}, answer);
      answer.add("Allow", match.allow);
      return false;
    case route_table::outcome::malformed:
      refuse(x, front_problem::malformed_request, "the path is not valid UTF-8 in percent encoding", answer);
      return false;
  }
  return false;
}

void gateway::serve_page(exchange& x, response& answer) const {
  answer.content_type = json_media_type;
  switch (x.entry->page) {
    case local_page::none:
      break;
    case local_page::health: {
      auto page = render_health(front_.parts.health ? front_.parts.health() : std::vector<health_check>{},
                                x.request.now, front_.started);
      answer.status = page.status;
      answer.body = std::move(page.body);
      break;
    }
    case local_page::stats:
      answer.body = front_.parts.stats ? front_.parts.stats() : "{}";
      break;
    case local_page::problems:
      answer.body = front_.problems.all();
      break;
    case local_page::problem: {
      const auto* page = front_.problems.find(x.request.param("slug"));
      if (page == nullptr)
        return refuse(x, front_problem::not_found, "there is no such problem type", answer);
      answer.body = *page;
      break;
    }
  }
  common_headers(x, answer);
}

token_fault gateway::authenticate(exchange& x, std::unique_ptr<verified_token>& cache) {
  const auto value = x.head[header::authorization];
  if (cache && cache->authorization == value && x.request.now < cache->expires_at) {
    x.request.who = cache->who;
    return token_fault::none;
  }
  access_claims claims;
  const auto fault = signer_.verify(bearer_token(value), x.request.now, claims);
  if (fault != token_fault::none) return fault;
  if (!cache) cache = std::make_unique<verified_token>();
  *cache = {std::string{value}, claims.to_principal(), claims.expires_at};
  x.request.who = cache->who;
  return fault;
}

bool gateway::let_in(exchange& x, std::unique_ptr<verified_token>& cache, response& answer) {
  const auto& route = *x.entry->what;
  if (route.compat_only) {
    // Nothing else stands between these routes and a page in a browser on this machine.
    if (!front_.options.compat_beyond_loopback && x.head.has(header::host) &&
        !is_loopback_host(x.head[header::host])) {
      refuse(x, front_problem::misdirected_request, {}, answer);
      return false;
    }
    x.request.who = {{}, true, false};
    return true;
  }
  const bool has_token = x.head.has(header::authorization);
  const auto fault = has_token ? authenticate(x, cache) : token_fault::none;
  if (route.level == access::anyone) return true;  // an expired token must not keep anybody from logging in
  if (!has_token) {
    refuse(x, front_problem::unauthenticated, {}, answer);
    answer.add("WWW-Authenticate", "Bearer");
    return false;
  }
  if (fault != token_fault::none) {
    refuse(x, front_problem::invalid_token, to_string(fault), answer);
    answer.add("WWW-Authenticate", R"(Bearer error="invalid_token")");
    return false;
  }
  if (route.level == access::admin && !x.request.who.is_admin) {
    refuse(x, front_problem::forbidden, {}, answer);
    return false;
  }
  return true;
}

bool gateway::name_command(exchange& x, response& answer) const {
  const auto rule = x.entry->what->key;
  if (rule == key_rule::none) return true;
  if (!x.head.has(header::idempotency_key)) {
    if (rule == key_rule::optional) return true;
    refuse(x, front_problem::idempotency_key_missing, {}, answer);
    return false;
  }
  const auto key = x.head[header::idempotency_key];
  if (!is_idempotency_key(key)) {
    refuse(x, front_problem::idempotency_key_malformed, {}, answer);
    return false;
  }
  x.request.key_id = key_id(x.request.who.user, key);
  return true;
}

bool gateway::check_versions(exchange& x, response& answer) const {
  const auto& route = *x.entry->what;
  const bool has_match = x.head.has(header::if_match);
  const bool is_read = route.method == http_method::get;  // its If-None-Match is for answer_ok()
  if (!route.etag) {
    if (is_read || !has_match) return true;
    // RFC 9110, 13.1.1: it is not done unless the condition holds.
    refuse(x, front_problem::precondition_failed, "what this request is sent to has no version to match",
           answer);
    return false;
  }
  const bool has_none_match = !is_read && x.head.has(header::if_none_match);
  if (!has_match && !has_none_match) return true;
  const auto wanted = has_match ? parse_if_match(x.head[header::if_match])
                                : parse_if_none_match(x.head[header::if_none_match]);
  if (!wanted || (has_match && has_none_match)) {
    refuse(x, front_problem::malformed_request, "send If-Match or If-None-Match, with one entity tag or *",
           answer);
    return false;
  }
  x.expected = *wanted;
  return true;
}

bool gateway::check_body_kind(const exchange& x, response& answer) const {
  if (x.entry->what->has_body) return check_media_type(x, answer);
  if (x.head.body_bytes <= pointless_body_bytes_max) return true;
  refuse(x, front_problem::body_too_large, "this request takes no body", answer);
  return false;
}

bool gateway::check_media_type(const exchange& x, response& answer) const {
  if (is_json_media_type(x.head[header::content_type]) && !x.head.has(header::content_encoding)) return true;
  refuse(x, front_problem::unsupported_media_type, {}, answer);
  return false;
}

gateway::step gateway::bind(exchange& x, const boost::json::value* json, response& answer) const {
  const auto& route = *x.entry->what;
  auto bound = route.bind(x.request, json);
  if (!x.request.errors.empty()) {
    const auto why =
        x.request.has_foreign_cursor ? front_problem::invalid_cursor : front_problem::validation_failed;
    refuse(x, why, {}, answer);
    return step::answered;
  }
  if (const auto* no = std::get_if<unrouted>(&bound)) {
    refuse_as(x, no->problem, no->detail, {}, answer);
    return step::answered;
  }
  auto& to = std::get<routed>(bound);
  auto& out = x.outgoing;
  out.target = std::move(to.target);
  out.message = to.message;
  out.is_query = to.is_query;
  out.body = std::move(to.body);
  out.expect_version = x.expected;
  out.id = {};
  out.fingerprint = 0;
  if (x.request.key_id && !to.is_query) {
    out.id = command_id_for(*x.request.key_id, out.target);
    out.fingerprint = fingerprint(route, x.request.path, x.target.query, x.body);
  }
  out.deadline = std::chrono::steady_clock::now() + front_.options.command_timeout;
  return step::submit;
}

}  // namespace troupe::http
