#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/entity/json_read.hpp"
#include "runtime/entity/json_write.hpp"
#include "runtime/entity/kind.hpp"
#include "runtime/entity/table.hpp"

/// HTTP as data: a kind's routes.cpp says which request is which message. Dispatch, auth level, idempotency
/// rule and documentation all follow from these rows; nothing here speaks HTTP.
namespace troupe {

enum class http_method : std::uint8_t { get, post, put, patch, del };
enum class access : std::uint8_t { anyone, user, admin };
/// Whether a request may or must carry an Idempotency-Key.
enum class key_rule : std::uint8_t { none, optional, required };

/// Who asks. Without a valid token `user` is nil.
struct principal {
  user_id user;
  bool is_admin = false;
  bool is_authenticated = false;
};

/// What a binder may look at. The views live as long as the request.
class route_request {
 public:
  principal who;
  /// Set when the request carries an Idempotency-Key: 16 bytes that follow from the principal and the key
  /// alone.
  std::optional<std::string> key_id;
  timestamp now;
  std::uint64_t id_seed = 0;
  std::vector<std::pair<std::string_view, std::string>> path;  // name, decoded value
  std::vector<std::pair<std::string, std::string>> query;      // decoded
  std::vector<field_error> errors;
  std::string_view list;  // the route's template: its cursors are for no other route
  bool has_foreign_cursor = false;

  /// A path parameter of the route's template.
  const std::string& param(std::string_view name) const {
    for (const auto& [key, value] : path) {
      if (key == name) return value;
    }
    static const std::string none;
    return none;
  }
  const std::string* query_value(std::string_view name) const {
    for (const auto& [key, value] : query) {
      if (key == name) return &value;
    }
    return nullptr;
  }

  /// An id for what this request creates: it follows from the Idempotency-Key when there is one, so that a
  /// retry names the same entity.
  uuid fresh_id() const {
    if (key_id) return make_uuid_v8(*key_id);
    id_source ids{id_seed};
    const auto high = ids.next();
    return make_uuid_v7(now, high, ids.next());
  }

  void error(std::string pointer, std::string detail) {
    errors.push_back({std::move(pointer), std::move(detail)});
  }
  void require(bool condition, std::string_view pointer, std::string_view detail) {
    if (!condition) error(std::string{pointer}, std::string{detail});
  }
  /// `limit` and `cursor` of a list; faults become errors.
  page_request page();
  /// The key of a page's last row as clients see it: an opaque word that page() takes back only for the same
  /// route, path, caller and filters. A check against mistakes, not against forgery: whatever it holds is
  /// only ever a position inside the list.
  std::string seal_cursor(std::string_view row_key) const;

 private:
  std::uint64_t list_hash() const;
};

/// Which message goes to which entity.
struct routed {
  entity_ref target;
  message_no message{};
  std::string body;
  bool is_query = false;
};

/// Why a request was not routed, before any entity was asked: e.g. an id that cannot exist is `not found`.
struct problem_kind {
  int status = 500;
  std::string_view slug;  // the type is /problems/<slug>
  std::string_view title;
  /// A sentence for the catalogue, and for answers that have nothing more special to say.
  std::string_view meaning{};
};

struct unrouted {
  problem_kind problem;
  std::string detail;  // empty: what the problem means
};

/// A request with errors() is answered 400 whatever bind returned.
using bound = std::variant<routed, unrouted>;

/// What an answer's headers say beside its JSON.
struct rendered {
  std::string next_cursor;    // as a client sends it; empty at the end of a list
  std::string location;       // of what was created, without /api/v1: used with 201
  std::uint64_t version = 0;  // of what is shown, where that is not the whole entity; 0: route::etag says
};

struct route {
  http_method method{};
  std::string_view path;  // a template: /api/v1/skus/{sku}
  access level = access::user;
  key_rule key = key_rule::none;
  int success_status = 200;
  /// Answered instead when the command made the entity, that is, left its first version; 0: the same. Only
  /// for a message whose handler edits each time, or a repetition of the first one would be taken for it.
  int created_status = 0;
  std::string_view summary;
  bool etag = false;  // the entity's version is the ETag, If-None-Match and If-Match are honoured
  bool has_body = false;
  /// Served only in compat mode, without a token: bind then sees an admin who is not authenticated.
  bool compat_only = false;
  /// The body's JSON has been parsed and is an object where has_body.
  bound (*bind)(route_request&, const boost::json::value* body) = nullptr;
  /// Reply bytes to JSON. Null when the success status has no body (204).
  rendered (*render)(std::string_view reply, const route_request&, std::string& out) = nullptr;
};

/// All routes of one kind, and what its refusals are on HTTP; an empty slug for a code that is none of them.
struct route_block {
  kind_id kind{};
  std::vector<route> routes;
  problem_kind (*problem_of)(std::uint16_t refusal) = nullptr;
};

/// A message of Kind for the entity with that key.
template <class Kind, class Message>
routed to(std::string key, const Message& message) {
  return {{Kind::options.id, std::move(key)},
          Kind::template number_of<Message>(),
          encode(message),
          Kind::template is_query<Message>()};
}

/// Bytes as a word of base64url.
std::string encode_cursor(std::string_view bytes);
std::optional<std::string> decode_cursor(std::string_view text);

/// Renders what `view_of` makes of a reply. A `next_cursor` member of the view holds the key of the page's
/// last row; the client sees it, in the JSON and beside it, as seal_cursor makes it.
template <class Reply, class ViewOf>
rendered render_view(std::string_view bytes, const route_request& in, std::string& out, ViewOf view_of) {
  Reply reply;
  TROUPE_ASSERT(decode(bytes, reply), "reply does not decode");
  auto view = view_of(std::move(reply));
  rendered about;
  if constexpr (requires { view.next_cursor; }) {
    if (view.next_cursor) view.next_cursor = about.next_cursor = in.seal_cursor(*view.next_cursor);
  }
  write_json(out, view);
  return about;
}

/// Renders a reply type as it is described.
template <class Reply>
rendered render_as(std::string_view bytes, const route_request& in, std::string& out) {
  return render_view<Reply>(bytes, in, out, [](Reply&& reply) { return std::move(reply); });
}

/// Reads the request's body as Body; faults become errors and the defaults stay.
template <class Body>
Body read_body(route_request& in, const boost::json::value* json) {
  Body body;
  if (json != nullptr) read_json(*json, body, "", in.errors);
  return body;
}

}  // namespace troupe
