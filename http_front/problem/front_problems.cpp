#include "http_front/problem/front_problems.hpp"

#include <array>

#include "runtime/base/assert.hpp"

namespace troupe::http {
namespace {

using p = front_problem;

// In the order of the enum, so that describe() is an index.
constexpr std::array table{
    documented_problem{
        p::malformed_request,
        {400, "malformed-request", "Malformed request"},
        "The request line, a header, the path or the query is not valid HTTP, or is ambiguous."},
    documented_problem{
        p::invalid_json,
        {400, "invalid-json", "Invalid JSON"},
        "The body is empty, not UTF-8, not one JSON object, nested deeper than 32, or names a member twice."},
    documented_problem{p::validation_failed,
                       {400, "validation-failed", "Validation failed"},
                       "Fields are missing, unknown or out of range; `errors` points at each of them."},
    documented_problem{p::invalid_cursor,
                       {400, "invalid-cursor", "Invalid cursor"},
                       "The cursor is damaged, or was made by another list, for another user or with other "
                       "filters; begin without one."},
    documented_problem{p::idempotency_key_missing,
                       {400, "idempotency-key-missing", "Idempotency-Key is required"},
                       "This request changes something that must not happen twice: send an Idempotency-Key."},
    documented_problem{p::idempotency_key_malformed,
                       {400, "idempotency-key-malformed", "Malformed Idempotency-Key"},
                       "An Idempotency-Key is 1 to 255 visible ASCII characters."},
    documented_problem{p::unauthenticated,
                       {401, "unauthenticated", "Authentication is required"},
                       "Send `Authorization: Bearer <access token>`."},
    documented_problem{p::invalid_token,
                       {401, "invalid-token", "Invalid access token"},
                       "The access token is malformed, expired, or not signed by this cluster."},
    documented_problem{
        p::forbidden, {403, "forbidden", "Forbidden"}, "The caller lacks the role that this needs."},
    documented_problem{p::not_found, {404, "not-found", "Not found"}, "Nothing is served at this path."},
    documented_problem{p::method_not_allowed,
                       {405, "method-not-allowed", "Method not allowed"},
                       "The path exists; `Allow` lists the methods that it takes."},
    documented_problem{p::request_timeout,
                       {408, "request-timeout", "Request timeout"},
                       "The request was not sent completely in time."},
    documented_problem{
        p::in_progress,
        {409, "request-in-progress", "Request in progress"},
        "A request with this Idempotency-Key is still at work; repeat it after `Retry-After`."},
    documented_problem{
        p::precondition_failed,
        {412, "precondition-failed", "Precondition failed"},
        "The entity does not have a version that If-Match or If-None-Match asks for; nothing was "
        "changed."},
    documented_problem{p::body_too_large,
                       {413, "body-too-large", "Body too large"},
                       "The request body is over the limit (256 KiB by default)."},
    documented_problem{p::target_too_long,
                       {414, "target-too-long", "Request target too long"},
                       "The path or query is over its limit."},
    documented_problem{p::unsupported_media_type,
                       {415, "unsupported-media-type", "Unsupported media type"},
                       "The body must be application/json, UTF-8, without a content coding."},
    documented_problem{p::expectation_failed,
                       {417, "expectation-failed", "Expectation failed"},
                       "The only expectation that can be met is 100-continue."},
    documented_problem{p::misdirected_request,
                       {421, "misdirected-request", "Misdirected request"},
                       "Paths that ask for no token are served to those who call this machine localhost."},
    documented_problem{p::idempotency_key_reused,
                       {422, "idempotency-key-reused", "Idempotency-Key reused"},
                       "This Idempotency-Key was used for another request; nothing was done."},
    documented_problem{p::headers_too_large,
                       {431, "headers-too-large", "Request headers too large"},
                       "Request line and headers together are over the limit (16 KiB by default)."},
    documented_problem{p::internal_error,
                       {500, "internal-error", "Internal error"},
                       "A fault in the server; nothing was changed. Quote `traceId` when reporting it."},
    documented_problem{p::transfer_coding_unsupported,
                       {501, "transfer-coding-unsupported", "Transfer coding not supported"},
                       "The only transfer coding is `chunked`."},
    documented_problem{p::overloaded,
                       {503, "overloaded", "Overloaded"},
                       "A queue is full; the request was not begun. Repeat it after `Retry-After`."},
    documented_problem{p::storage_full,
                       {503, "storage-full", "Storage full"},
                       "The disk has no room for changes. Nothing was done; reading goes on."},
    documented_problem{p::too_many_connections,
                       {503, "too-many-connections", "Too many connections"},
                       "The server holds as many connections as it may."},
    documented_problem{
        p::stopping,
        {503, "stopping", "Stopping"},
        "This node is being drained; the request was not begun. Repeat it on a new connection."},
    documented_problem{p::unavailable,
                       {503, "unavailable", "Unavailable"},
                       "No node serves this entity at the moment. Nothing was done; repeat it after "
                       "`Retry-After`."},
    documented_problem{p::outcome_unknown,
                       {503, "outcome-unknown", "Outcome unknown"},
                       "The request may or may not have been done. Repeating it with the same "
                       "Idempotency-Key is safe and tells."},
    documented_problem{p::deadline_passed,
                       {504, "deadline-passed", "Deadline passed"},
                       "The request waited too long and was not begun."},
    documented_problem{p::version_unsupported,
                       {505, "version-unsupported", "HTTP version not supported"},
                       "The server speaks HTTP/1.1 and HTTP/1.0."},
    documented_problem{
        p::no_redis,
        {404, "no-redis", "There is no Redis"},
        "troupe keeps its state itself; there is no cache or broker beside it to be healthy or not."},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].number) != i + 1) return false;
  }
  return static_cast<std::size_t>(p::no_redis) == table.size();
}
static_assert(in_order());

}  // namespace

const documented_problem& describe(front_problem which) {
  const auto at = static_cast<std::size_t>(which);
  TROUPE_ASSERT(at >= 1 && at <= table.size(), "no such problem");
  return table[at - 1];
}

std::span<const documented_problem> all_front_problems() { return table; }

}  // namespace troupe::http
