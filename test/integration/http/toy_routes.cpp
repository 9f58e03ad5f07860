#include "test/integration/http/toy_routes.hpp"

namespace troupe::http::test {
namespace {

constexpr kind_id toy_kind{42};

bound bind_get(route_request& in, const boost::json::value*) {
  if (in.param("id") == "never")
    return unrouted{{404, "toy-not-found", "No such toy", {}}, "it was never made"};
  if (in.param("id") == "throws") throw std::runtime_error("a binder's fault");
  return routed{
      {toy_kind, in.param("id")}, get_toy, in.who.user.is_nil() ? "nobody" : to_string(in.who.user), true};
}

bound bind_make(route_request& in, const boost::json::value* json) {
  const auto body = read_body<toy_view>(in, json);
  in.require(body.count >= 0, "/count", "must not be negative");
  return routed{{toy_kind, in.param("id")}, make_toy, encode(body), false};
}

bound bind_list(route_request& in, const boost::json::value*) {
  const auto page = in.page();
  return routed{{toy_kind, "all"}, list_toys, page.cursor, true};
}

bound bind_reset(route_request& in, const boost::json::value*) {
  return routed{{toy_kind, in.param("id")}, make_toy, in.who.is_admin ? "admin" : "", false};
}

problem_kind problem_of(std::uint16_t code) {
  switch (static_cast<toy_refusal>(code)) {
    case toy_refusal::sold_out:
      return {409, "toy-sold-out", "Sold out", "All toys have been sold."};
    case toy_refusal::not_open:
      return {409, "toy-not-open", "Not open yet", {}};
    case toy_refusal::no_such_toy:
      return {404, "toy-not-found", "No such toy", {}};
  }
  return {};
}

rendered render_made(std::string_view reply, const route_request& in, std::string& out) {
  auto about = render_as<toy_view>(reply, in, out);
  about.location = "/toys/" + in.param("id");
  return about;
}

rendered render_parts(std::string_view reply, const route_request& in, std::string& out) {
  auto about = render_as<toy_view>(reply, in, out);
  toy_view toy;
  if (decode(reply, toy)) about.version = static_cast<std::uint64_t>(toy.count);
  return about;
}

}  // namespace

std::vector<route_block> toy_blocks() {
  const auto get = http_method::get;
  const auto post = http_method::post;
  route_block block{toy_kind, {}, &problem_of};
  block.routes = {
      {.method = get,
       .path = "/api/v1/toys/{id}",
       .level = access::anyone,
       .key = key_rule::none,
       .success_status = 200,
       .summary = "one toy",
       .etag = true,
       .bind = &bind_get,
       .render = &render_as<toy_view>},
      {.method = post,
       .path = "/api/v1/toys/{id}",
       .level = access::user,
       .key = key_rule::required,
       .success_status = 201,
       .summary = "make a toy",
       .etag = true,
       .has_body = true,
       .bind = &bind_make,
       .render = &render_made},
      {.method = get,
       .path = "/api/v1/toys/{id}/parts",
       .level = access::anyone,
       .summary = "a toy's parts, as many as its count, which is their version",
       .bind = &bind_get,
       .render = &render_parts},
      {.method = http_method::put,
       .path = "/api/v1/toys/{id}",
       .level = access::anyone,
       .key = key_rule::optional,
       .success_status = 200,
       .created_status = 201,
       .summary = "change a toy",
       .etag = true,
       .has_body = true,
       .bind = &bind_make,
       .render = &render_as<toy_view>},
      {.method = http_method::del,
       .path = "/api/v1/toys/{id}",
       .level = access::admin,
       .key = key_rule::optional,
       .success_status = 204,
       .summary = "drop a toy",
       .bind = &bind_reset,
       .render = &render_as<done>},
      {.method = get,
       .path = "/api/v1/toys",
       .level = access::anyone,
       .key = key_rule::none,
       .success_status = 200,
       .summary = "all toys",
       .bind = &bind_list,
       .render = &render_as<toy_page>},
      {.method = get,
       .path = "/api/v1/toys/best",
       .level = access::user,
       .key = key_rule::none,
       .success_status = 200,
       .summary = "the best toy",
       .bind = &bind_get,
       .render = &render_as<toy_view>},
      {.method = post,
       .path = "/toys/{id}/reset",
       .level = access::user,
       .key = key_rule::optional,
       .success_status = 204,
       .summary = "as a document has it",
       .compat_only = true,
       .bind = &bind_reset,
       .render = &render_as<done>},
  };
  return {block};
}

}  // namespace troupe::http::test
