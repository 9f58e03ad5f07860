#pragma once

#include <boost/json/parse.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "test/support/kind_world.hpp"

namespace troupe::test {

/// A request as a front would hand it to the routes.
struct request {
  http_method method = http_method::get;
  std::string path{};  // with the query
  std::string body{};
  principal who{};
  std::string key{};  // Idempotency-Key, 16 bytes here
};

inline principal as_user(const user_id& id) {
  return {.user = id, .is_admin = false, .is_authenticated = true};
}
inline principal as_admin(const user_id& id) {
  return {.user = id, .is_admin = true, .is_authenticated = true};
}
/// What the front passes in compat mode.
inline principal as_compat() { return {.user = {}, .is_admin = true, .is_authenticated = false}; }

struct bound_request {
  const route_block* block = nullptr;
  const route* row = nullptr;
  bound result{};
  std::vector<field_error> errors{};
  route_request in{};

  const routed& message() const {
    kit_check(errors.empty(), "the request has errors: " + (errors.empty() ? "" : errors.front().pointer));
    kit_check(std::holds_alternative<routed>(result), "the request was not routed");
    return std::get<routed>(result);
  }
  template <class Kind, class Message>
  Message message_as() const {
    const auto& to = message();
    kit_check(to.target.kind == Kind::options.id, "routed to another kind");
    kit_check(to.message == Kind::template number_of<Message>(), "routed to another message");
    return decoded<Message>(to.body);
  }
  /// The status of an unrouted request; 0 when it was routed.
  int unrouted_status() const {
    const auto* refused = std::get_if<unrouted>(&result);
    return refused == nullptr ? 0 : refused->problem.status;
  }
  /// Pointers of all errors.
  std::vector<std::string> pointers() const {
    std::vector<std::string> found;
    for (const auto& error : errors) found.push_back(error.pointer);
    return found;
  }
};

struct http_answer {
  int status = 0;
  std::string body{};  // JSON, or the slug of the problem
  std::string next_cursor{};
  std::string location{};
  std::uint64_t version = 0;  // of what is shown, when the route says so itself
};

/// Routes without HTTP: finds the row for a request, binds it, and, given a world, runs it and renders the
/// reply.
class route_kit {
 public:
  explicit route_kit(std::vector<route_block> blocks) : blocks_(std::move(blocks)) {}

  bound_request bind(const request& r) const {
    const auto query_at = r.path.find('?');
    const auto parts = split(std::string_view{r.path}.substr(0, query_at), '/');
    bound_request out;
    route_request in;
    find(r.method, parts, out, in);
    kit_check(out.row != nullptr, "no route for " + r.path);
    if (query_at != std::string::npos) add_query(in, std::string_view{r.path}.substr(query_at + 1));
    in.who = r.who;
    in.list = out.row->path;
    in.now = start_of_time;
    in.id_seed = ++seed_;
    if (!r.key.empty()) in.key_id = r.key;
    boost::json::value json;
    if (out.row->has_body) json = boost::json::parse(r.body);
    out.result = out.row->bind(in, out.row->has_body ? &json : nullptr);
    out.errors = in.errors;
    out.in = std::move(in);
    return out;
  }

  http_answer call(kind_world& world, const request& r) const {
    const auto request = bind(r);
    if (!request.errors.empty()) return {.status = 400, .body = request.errors.front().pointer};
    if (const auto* refused = std::get_if<unrouted>(&request.result)) {
      return {.status = refused->problem.status, .body = std::string{refused->problem.slug}};
    }
    const auto& to = request.message();
    const auto out = world.run(to.target, to.message, to.body);
    if (out.what == outcome::status::rejected) {
      const auto problem = request.block->problem_of(decoded<rejection>(out.reply).code);
      return {.status = problem.status, .body = std::string{problem.slug}};
    }
    kit_check(out.what == outcome::status::ok, "the message failed");
    http_answer answer{.status = request.row->success_status};
    if (request.row->render == nullptr) return answer;
    const auto about = request.row->render(out.reply, request.in, answer.body);
    answer.next_cursor = about.next_cursor;
    answer.location = about.location;
    answer.version = about.version;
    return answer;
  }

  const std::vector<route_block>& blocks() const { return blocks_; }

 private:
  static std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> parts;
    for (std::size_t from = 0;;) {
      const auto at = text.find(by, from);
      parts.push_back(text.substr(from, at - from));
      if (at == std::string_view::npos) return parts;
      from = at + 1;
    }
  }
  static bool is_parameter(std::string_view part) { return part.starts_with('{'); }

  /// The row with the fewest parameters wins, as in a front's router.
  void find(http_method method, const std::vector<std::string_view>& parts, bound_request& out,
            route_request& in) const {
    std::size_t fewest = ~std::size_t{0};
    for (const auto& block : blocks_) {
      for (const auto& row : block.routes) {
        const auto shape = split(row.path, '/');
        if (row.method != method || shape.size() != parts.size()) continue;
        std::vector<std::pair<std::string_view, std::string>> values;
        bool fits = true;
        for (std::size_t i = 0; i < shape.size() && fits; ++i) {
          if (is_parameter(shape[i])) {
            values.emplace_back(shape[i].substr(1, shape[i].size() - 2), parts[i]);
          } else {
            fits = shape[i] == parts[i];
          }
        }
        if (!fits || values.size() >= fewest) continue;
        fewest = values.size();
        out.block = &block;
        out.row = &row;
        in.path = std::move(values);
      }
    }
  }
  static void add_query(route_request& in, std::string_view text) {
    for (const auto pair : split(text, '&')) {
      const auto equals = pair.find('=');
      const auto value = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
      in.query.emplace_back(pair.substr(0, equals), value);
    }
  }

  std::vector<route_block> blocks_;
  mutable std::uint64_t seed_ = 0;
};

}  // namespace troupe::test
