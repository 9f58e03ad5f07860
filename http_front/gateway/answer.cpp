#include "http_front/gateway/gateway.hpp"
#include "http_front/policy/precondition.hpp"
#include "http_front/problem/problem.hpp"

/// The way back: from the runtime's reply to the answer on the wire.
namespace troupe::http {
namespace {

constexpr std::string_view api_base = "/api/v1";

/// </path?query&cursor=…>; rel="next", with the query's old cursor left out.
std::string next_link(const target_parts& target, std::string_view cursor) {
  std::string link = "<";
  append_link_text(link, target.path);
  char joint = '?';
  for (auto rest = target.query; !rest.empty();) {
    const auto end = rest.find('&');
    const auto pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    if (pair.empty() || pair.starts_with("cursor=")) continue;
    link += joint;
    append_link_text(link, pair);
    joint = '&';
  }
  link += joint;
  link += "cursor=";
  append_link_text(link, cursor);
  return link + R"(>; rel="next")";
}

}  // namespace

void gateway::common_headers(const exchange& x, response& answer) const {
  if (!x.request_id.empty()) answer.add("X-Request-Id", x.request_id);
  if (x.request.who.is_authenticated || x.request.who.is_admin) answer.add("Cache-Control", "no-store");
}

void gateway::refuse(const exchange& x, front_problem why, std::string_view detail, response& answer) const {
  const auto& about = describe(why);
  answer.status = about.kind.status;
  answer.content_type = problem_media_type;
  answer.body.clear();
  answer.headers.clear();
  write_problem(answer.body, {about.kind,
                              detail.empty() ? about.meaning : detail,
                              x.target.path,
                              x.trace.id(),
                              x.request.errors,
                              {}});
  common_headers(x, answer);
}

void gateway::finish(exchange& x, const reply& reply, response& answer) {
  switch (reply.status) {
    case reply_status::ok:
      answer_ok(x, reply, answer);
      break;
    case reply_status::rejected:
      answer_rejection(x, reply, answer);
      break;
    case reply_status::malformed:
    case reply_status::failed:
      refuse(x, front_problem::internal_error, {}, answer);
      break;
    case reply_status::version_mismatch:
      refuse(x, front_problem::precondition_failed, {}, answer);
      break;
    case reply_status::key_reused:
      refuse(x, front_problem::idempotency_key_reused, {}, answer);
      break;
    case reply_status::in_progress:
      refuse(x, front_problem::in_progress, {}, answer);
      answer.add("Retry-After", "1");
      break;
    case reply_status::overloaded:
      refuse(x, front_problem::overloaded, {}, answer);
      answer.add("Retry-After", "1");
      break;
    case reply_status::deadline_passed:
      refuse(x, front_problem::deadline_passed, {}, answer);
      break;
    case reply_status::stopping:
      refuse(x, front_problem::stopping, {}, answer);
      answer.add("Retry-After", "1");
      answer.close = true;
      break;
    case reply_status::storage_full:
      refuse(x, front_problem::storage_full, {}, answer);
      answer.add("Retry-After", "30");
      break;
    case reply_status::not_primary:
      refuse(x, front_problem::unavailable, {}, answer);
      answer.add("Retry-After", "1");
      break;
    case reply_status::unknown:
      refuse(x, front_problem::outcome_unknown, {}, answer);
      answer.add("Retry-After", "1");
      break;
  }
  if (reply.replayed) answer.add("Idempotent-Replayed", "true");
  // A witness for who checks histories: the state of the entity that this answer was made of, also where the
  // answer is about something else (an order) or a refusal. Not where even that there is an entity is hidden.
  const bool is_told = x.head.has(header::x_want_version) && reply.version > 0;
  if (is_told && answer.status != 403 && answer.status != 404)
    answer.add("X-Entity-Version", std::to_string(reply.version));
}

void gateway::answer_ok(exchange& x, const reply& reply, response& answer) const {
  const auto& route = *x.entry->what;
  // True when the client has that version already.
  const auto show_version = [&](std::uint64_t version) {
    answer.add("ETag", etag_of(version));
    if (route.method != http_method::get || !x.head.has(header::if_none_match) ||
        none_match_holds(x.head[header::if_none_match], version))
      return false;
    answer.status = 304;
    answer.body.clear();
    common_headers(x, answer);
    return true;
  };
  if (route.etag && reply.version > 0 && show_version(reply.version)) return;
  const bool is_new = route.created_status != 0 && reply.version == 1;
  answer.status = is_new ? route.created_status : route.success_status;
  if (route.success_status != 204) {
    const auto about = route.render(reply.bytes, x.request, answer.body);
    if (about.version > 0 && show_version(about.version)) return;
    answer.content_type = "application/json";
    if (!about.next_cursor.empty()) answer.add("Link", next_link(x.target, about.next_cursor));
    if (answer.status == 201 && !about.location.empty()) {
      answer.add("Location", std::string{route.path.starts_with(api_base) ? api_base : ""} + about.location);
    }
  }
  common_headers(x, answer);
}

void gateway::answer_rejection(const exchange& x, const reply& reply, response& answer) const {
  rejection why;
  const auto problem_of = x.entry->block->problem_of;
  if (!decode(reply.bytes, why) || problem_of == nullptr)
    return refuse(x, front_problem::internal_error, {}, answer);
  const auto kind = problem_of(why.code);
  if (kind.slug.empty()) return refuse(x, front_problem::internal_error, {}, answer);
  // The entity refuses before it looks at its version. To those who may see it the version is what matters,
  // as when `If-None-Match: *` meets a fresh definition of what exists.
  const bool conceals = kind.status == 404 || kind.status == 403;
  if (!conceals && !x.expected.holds_for(reply.version))
    return refuse(x, front_problem::precondition_failed, {}, answer);
  refuse_as(x, kind, why.detail, why.fields, answer);
}

/// Answers with a problem of a kind.
void gateway::refuse_as(const exchange& x, const problem_kind& kind, std::string_view detail,
                        std::span<const problem_field> fields, response& answer) const {
  answer.status = kind.status;
  answer.content_type = problem_media_type;
  write_problem(answer.body,
                {kind, detail.empty() ? kind.meaning : detail, x.target.path, x.trace.id(), {}, fields});
  common_headers(x, answer);
}

}  // namespace troupe::http
