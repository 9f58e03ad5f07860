#include <doctest/doctest.h>

#include <set>

#include "actors/agenda/agenda.hpp"
#include "actors/inbox/inbox.hpp"
#include "actors/kinds.hpp"
#include "actors/sku/sku.hpp"
#include "actors/task/task.hpp"
#include "test/support/route_kit.hpp"

using namespace troupe;
using test::as_admin;
using test::as_compat;
using test::as_user;
using test::request;
using test::start_of_time;
using test::user;
using enum http_method;

namespace {

const test::route_kit& kit() {
  static const test::route_kit routes{all_routes()};
  return routes;
}

const std::string user_1 = to_string(user(1));
const std::string user_2 = to_string(user(2));
const std::string notes_of_1 = "/api/v1/users/" + user_1 + "/notifications";
using pointers = std::vector<std::string>;

/// A body, and the pointers of the errors it gets.
struct body_row {
  std::string body;
  pointers errors;
};

void check_bodies(http_method method, const std::string& path, const std::vector<body_row>& rows) {
  for (const auto& row : rows) {
    CAPTURE(row.body);
    CHECK(
        kit().bind({.method = method, .path = path, .body = row.body, .who = as_user(user(1))}).pointers() ==
        row.errors);
  }
}

}  // namespace

TEST_CASE("routes: methods and paths are unique, and each row can be served") {
  std::set<std::pair<http_method, std::string>> seen;
  for (const auto& block : kit().blocks()) {
    for (const auto& row : block.routes) {
      CAPTURE(row.path);
      CHECK(seen.emplace(row.method, row.path).second);
      CHECK((row.bind != nullptr));
      CHECK((row.render != nullptr || row.success_status == 204));
      CHECK_FALSE(row.summary.empty());
      CHECK(row.path.starts_with("/api/v1/") != row.compat_only);
    }
    CHECK((block.problem_of != nullptr));
  }
  CHECK(seen.size() == 28);
}

TEST_CASE("routes: without a token there is the stock, and in compat mode the task document") {
  std::set<std::string> open;
  std::set<std::string> compat;
  for (const auto& block : kit().blocks()) {
    for (const auto& row : block.routes) {
      if (row.compat_only) {
        compat.emplace(row.path);
        CHECK(row.level == access::anyone);
      } else if (row.level == access::anyone) {
        open.emplace(row.path);
      }
    }
  }
  CHECK(open == std::set<std::string>{"/api/v1/skus/{sku}"});
  CHECK(compat == std::set<std::string>{"/tasks", "/tasks/{id}", "/users/{userId}/notifications",
                                        "/users/{userId}/notifications/unread-count",
                                        "/notifications/{id}/read"});
}

TEST_CASE("routes: what changes stock asks for an admin, and an order for a key") {
  for (const auto& row : kit().blocks().front().routes) {
    CAPTURE(row.path);
    const bool is_admin_row = row.method == put || row.path.ends_with("/restock") ||
                              (row.method == get && row.path.ends_with("/orders"));
    CHECK((row.level == access::admin) == is_admin_row);
    const bool places = row.method == post && row.path.ends_with("/orders");
    CHECK((row.key == key_rule::required) == places);
    if (places) CHECK(row.success_status == 201);
    CHECK((row.created_status == 201) == (row.method == put));
  }
}

TEST_CASE("routes: PUT sku reads all its fields") {
  const auto bound = kit().bind(
      {.method = put,
       .path = "/api/v1/skus/phone",
       .body =
           R"({"name":"P","stock":5,"perUserLimit":2,"holdSeconds":60,"opensAt":"2026-01-31T09:30:00Z","price":99})",
       .who = as_admin(user(1))});
  CHECK(bound.message().target == entity_ref{sku::kind::options.id, "phone"});
  CHECK_FALSE(bound.message().is_query);
  CHECK(bound.message_as<sku::kind, sku::define>() == sku::define{"P", 5, 2, 60, start_of_time, 99});
}

TEST_CASE("routes: PUT sku says what is wrong with a body") {
  check_bodies(put, "/api/v1/skus/phone",
               {{R"({"name":"P","stock":0})", {}},
                {R"({"name":"P","stock":1000000000000,"perUserLimit":null})", {}},
                {R"({})", {"/name", "/stock"}},
                {R"({"name":"P"})", {"/stock"}},
                {R"({"name":"","stock":1})", {"/name"}},
                {R"({"name":" \u3000","stock":1})", {"/name"}},
                {R"({"name":7,"stock":"1"})", {"/name", "/stock"}},
                {R"({"name":"P","stock":1.5})", {"/stock"}},
                {R"({"name":"P","stock":-1})", {"/stock"}},
                {R"({"name":"P","stock":1000000000001})", {"/stock"}},
                {R"({"name":"P","stock":9223372036854775808})", {"/stock"}},
                {R"({"name":"P","stock":1,"perUserLimit":0})", {"/perUserLimit"}},
                {R"({"name":"P","stock":1,"holdSeconds":2592001})", {"/holdSeconds"}},
                {R"({"name":"P","stock":1,"opensAt":"soon"})", {"/opensAt"}},
                {R"({"name":"P","stock":1,"price":-1})", {"/price"}},
                {R"({"name":"P","stock":1,"color":"red","a/b~c":1})", {"/color", "/a~1b~0c"}}});
}

TEST_CASE("routes: PUT sku refuses a name that cannot be") {
  for (const std::string& bad :
       pointers{"-x", "a.b", "a%20b", "x1234567890123456789012345678901234567890123456789012345678901234"}) {
    CAPTURE(bad);
    const auto bound = kit().bind({.method = put,
                                   .path = "/api/v1/skus/" + bad,
                                   .body = R"({"name":"P","stock":0})",
                                   .who = as_admin(user(1))});
    CHECK(bound.pointers() == pointers{"sku"});
  }
}

TEST_CASE("routes: the stock of a name that cannot be is not found") {
  CHECK(kit().bind({.path = "/api/v1/skus/a.b"}).unrouted_status() == 404);
  const auto bound = kit().bind({.path = "/api/v1/skus/phone"});
  CHECK(bound.message().is_query);
  CHECK(bound.message_as<sku::kind, sku::get_stock>() == sku::get_stock{});
}

TEST_CASE("routes: restock and orders take a quantity") {
  const auto restock =
      kit().bind({.method = post, .path = "/api/v1/skus/phone/restock", .body = R"({"quantity":7})"});
  CHECK(restock.message_as<sku::kind, sku::restock>() == sku::restock{7});
  const auto order = kit().bind({.method = post,
                                 .path = "/api/v1/skus/phone/orders",
                                 .body = R"({"quantity":2})",
                                 .who = as_user(user(1))});
  CHECK(order.message_as<sku::kind, sku::place_order>() == sku::place_order{user(1), 2});
  const std::vector<body_row> faults = {{R"({})", {"/quantity"}},
                                        {R"({"quantity":0})", {"/quantity"}},
                                        {R"({"quantity":"1"})", {"/quantity"}},
                                        {R"({"quantity":true})", {"/quantity"}},
                                        {R"({"quantity":null})", {"/quantity"}},
                                        {R"({"quantity":1,"user":"me"})", {"/user"}}};
  check_bodies(post, "/api/v1/skus/phone/restock", faults);
  check_bodies(post, "/api/v1/skus/phone/orders", faults);
  check_bodies(post, "/api/v1/skus/phone/orders",
               {{R"({"quantity":1000000})", {}}, {R"({"quantity":1000001})", {"/quantity"}}});
  check_bodies(post, "/api/v1/skus/phone/restock",
               {{R"({"quantity":1000000000000})", {}}, {R"({"quantity":1000000000001})", {"/quantity"}}});
}

TEST_CASE("routes: POST orders names its SKU in the body") {
  const auto order = kit().bind({.method = post,
                                 .path = "/api/v1/orders",
                                 .body = R"({"sku":"phone","quantity":2})",
                                 .who = as_user(user(1))});
  CHECK(order.message().target.key == "phone");
  CHECK(order.message_as<sku::kind, sku::place_order>() == sku::place_order{user(1), 2});
  const auto unknown =
      kit().bind({.method = post, .path = "/api/v1/orders", .body = R"({"sku":"","quantity":2})"});
  CHECK(unknown.unrouted_status() == 404);
  check_bodies(post, "/api/v1/orders",
               {{R"({"quantity":1})", {"/sku"}},
                {R"({"sku":1,"quantity":0})", {"/sku"}},
                {R"({"sku":"phone","quantity":1000000})", {}},
                {R"({"sku":"phone","quantity":0})", {"/quantity"}},
                {R"({"sku":"phone","quantity":1000001})", {"/quantity"}},
                {R"({})", {"/sku", "/quantity"}}});
}

TEST_CASE("routes: an order id leads to its SKU, with who asks") {
  const std::string id = "phone." + user_2;
  const auto get_order = kit().bind({.path = "/api/v1/orders/" + id, .who = as_user(user(1))});
  CHECK(get_order.message().target.key == "phone");
  CHECK(get_order.message_as<sku::kind, sku::get_order>() == sku::get_order{user(2), {user(1), false}});
  const auto confirm =
      kit().bind({.method = post, .path = "/api/v1/orders/" + id + "/confirm", .who = as_admin(user(1))});
  CHECK(confirm.message_as<sku::kind, sku::confirm_order>() == sku::confirm_order{user(2), {user(1), true}});
  const auto cancel =
      kit().bind({.method = post, .path = "/api/v1/orders/" + id + "/cancel", .who = as_user(user(1))});
  CHECK(cancel.message_as<sku::kind, sku::cancel_order>() == sku::cancel_order{user(2), {user(1), false}});
  for (const std::string& bad : pointers{"x", "phone.", "phone.1", "." + user_2, user_2}) {
    CAPTURE(bad);
    CHECK(kit().bind({.path = "/api/v1/orders/" + bad, .who = as_user(user(1))}).unrouted_status() == 404);
  }
}

TEST_CASE("routes: lists read limit and cursor") {
  route_request list;
  list.list = "/api/v1/skus/{sku}/orders";
  list.path = {{"sku", "phone"}};
  const auto cursor = list.seal_cursor(std::string_view{"\0\1\xff", 3});
  const auto bound = kit().bind({.path = "/api/v1/skus/phone/orders?limit=100&cursor=" + cursor});
  CHECK(bound.message_as<sku::kind, sku::list_orders>() ==
        sku::list_orders{{100, std::string("\0\1\xff", 3)}});
  CHECK(kit().bind({.path = "/api/v1/skus/phone/orders"}).message_as<sku::kind, sku::list_orders>().page ==
        page_request{});
  for (const std::string& bad :
       pointers{"limit=0", "limit=101", "limit=x", "limit=", "limit=-1", "limit=1x"}) {
    CAPTURE(bad);
    CHECK(kit().bind({.path = "/api/v1/skus/phone/orders?" + bad}).pointers() == pointers{"?limit"});
    CHECK(kit().bind({.path = "/api/v1/orders?" + bad}).pointers() == pointers{"?limit"});
    CHECK(kit().bind({.path = "/api/v1/tasks?" + bad, .who = as_user(user(1))}).pointers() ==
          pointers{"?limit"});
    CHECK(kit().bind({.path = notes_of_1 + "?" + bad, .who = as_user(user(1))}).pointers() ==
          pointers{"?limit"});
  }
  for (const std::string& bad : pointers{"cursor=", "cursor=a", "cursor=AP8", "cursor=AAAAAAAAAAAA",
                                         "cursor=%", "cursor=" + std::string(404, 'A')}) {
    CAPTURE(bad);
    CHECK(kit().bind({.path = "/api/v1/skus/phone/orders?" + bad}).pointers() == pointers{"?cursor"});
  }
}

TEST_CASE("routes: my orders are asked of my agenda, whoever I am") {
  for (const auto& who : {as_user(user(1)), as_admin(user(1))}) {
    const auto bound = kit().bind({.path = "/api/v1/orders?mine", .who = who});
    CHECK(bound.message().target == entity_ref{agenda::kind::options.id, user_1});
    CHECK(bound.message_as<agenda::kind, agenda::list_orders>() == agenda::list_orders{});
  }
}

TEST_CASE("routes: POST tasks makes a task of its own id for any user") {
  const auto bound = kit().bind({.method = post,
                                 .path = "/api/v1/tasks",
                                 .body = R"({"title":"T","description":"D","userId":")" + user_2 +
                                         R"(","dueAt":"2026-01-31T10:30:00+01:00"})",
                                 .who = as_user(user(1))});
  CHECK(bound.message().target.kind == task::kind::options.id);
  CHECK(parse_uuid(bound.message().target.key));
  CHECK(bound.message_as<task::kind, task::create>() ==
        task::create{"T", "D", user(2), user(1), start_of_time});
}

TEST_CASE("routes: POST tasks with the same key names the same task, without a key another") {
  const request once{.method = post,
                     .path = "/api/v1/tasks",
                     .body = R"({"title":"T","userId":")" + user_2 + R"("})",
                     .who = as_user(user(1)),
                     .key = "0123456789abcdef"};
  CHECK(kit().bind(once).message().target == kit().bind(once).message().target);
  auto unnamed = once;
  unnamed.key.clear();
  CHECK(kit().bind(unnamed).message().target != kit().bind(unnamed).message().target);
}

TEST_CASE("routes: POST tasks says what is wrong with a body") {
  const auto with = [](const std::string& rest) { return R"({"userId":")" + user_1 + R"(")" + rest + "}"; };
  check_bodies(
      post, "/api/v1/tasks",
      {{with(R"(,"title":"T","dueAt":null,"description":null)"), {}},
       {with(""), {"/title"}},
       {R"({"title":"T"})", {"/userId"}},
       {R"({"title":"T","userId":"bob"})", {"/userId"}},
       {with(R"(,"title":"")"), {"/title"}},
       {with(R"(,"title":" \t\u00a0")"), {"/title"}},
       {R"({"title":"T","userId":"00000000-0000-0000-0000-000000000000"})", {"/userId"}},
       {with(R"(,"title":")" + std::string(201, 'x') + R"(")"), {"/title"}},
       {with(R"(,"title":"T","description":")" + std::string(10'001, 'x') + R"(")"), {"/description"}},
       {with(R"(,"title":"T","dueAt":5)"), {"/dueAt"}},
       {with(R"(,"title":"T","status":"done")"), {"/status"}}});
}

TEST_CASE("routes: PATCH tasks tells null, absent and given apart") {
  const std::string path = "/api/v1/tasks/" + user_2;
  const auto patched = [&](const std::string& body) {
    return kit()
        .bind({.method = patch, .path = path, .body = body, .who = as_user(user(1))})
        .message_as<task::kind, task::change>();
  };
  const caller by{user(1), false};
  CHECK(patched("{}") == task::change{.by = by});
  CHECK(patched(R"({"dueAt":null})") == task::change{.by = by, .clears_due_at = true});
  CHECK(patched(R"({"dueAt":"2026-01-31T09:30:00Z","status":"in_progress","title":"T","description":""})") ==
        task::change{.by = by,
                     .title = "T",
                     .description = "",
                     .status = task::status::in_progress,
                     .due_at = start_of_time});
  check_bodies(patch, path,
               {{R"({"status":"open"})", {}},
                {R"({"status":"closed"})", {"/status"}},
                {R"({"status":1})", {"/status"}},
                {R"({"title":""})", {"/title"}},
                {R"({"title":"  "})", {"/title"}},
                {R"({"userId":")" + user_1 + R"("})", {"/userId"}}});
}

TEST_CASE("routes: a task id that is none is not found, one in capitals is the same task") {
  CHECK(kit().bind({.path = "/api/v1/tasks/7", .who = as_user(user(1))}).unrouted_status() == 404);
  CHECK(kit().bind({.method = del, .path = "/api/v1/tasks/7", .who = as_user(user(1))}).unrouted_status() ==
        404);
  CHECK(kit().bind({.method = patch, .path = "/api/v1/tasks/7", .body = "{}"}).unrouted_status() == 404);
  const auto bound =
      kit().bind({.path = "/api/v1/tasks/ABCDEFAB-0000-4000-8000-000000000007", .who = as_user(user(1))});
  CHECK(bound.message().target.key == "abcdefab-0000-4000-8000-000000000007");
  CHECK(bound.message_as<task::kind, task::get_task>() == task::get_task{{user(1), false}});
}

TEST_CASE("routes: tasks are listed of oneself, and of others by an admin only") {
  const auto mine = kit().bind({.path = "/api/v1/tasks?status=in_progress&limit=5", .who = as_user(user(1))});
  CHECK(mine.message().target == entity_ref{agenda::kind::options.id, user_1});
  CHECK(mine.message_as<agenda::kind, agenda::list_tasks>() ==
        agenda::list_tasks{task::status::in_progress, {5, ""}});
  CHECK(kit().bind({.path = "/api/v1/tasks?userId=" + user_2, .who = as_user(user(1))}).unrouted_status() ==
        403);
  CHECK(
      kit().bind({.path = "/api/v1/tasks?userId=" + user_2, .who = as_admin(user(1))}).message().target.key ==
      user_2);
  CHECK(kit().bind({.path = "/tasks?userId=" + user_2, .who = as_compat()}).message().target.key == user_2);
  CHECK(kit().bind({.path = "/tasks", .who = as_compat()}).pointers() == pointers{"?userId"});
  CHECK(kit().bind({.path = "/api/v1/tasks?userId=x", .who = as_user(user(1))}).pointers() ==
        pointers{"?userId"});
  CHECK(kit().bind({.path = "/api/v1/tasks?status=x", .who = as_user(user(1))}).pointers() ==
        pointers{"?status"});
}

TEST_CASE("routes: notifications belong to their user and admins") {
  const auto all = kit().bind({.path = notes_of_1 + "?limit=3", .who = as_user(user(1))});
  CHECK(all.message().target == entity_ref{inbox::kind::options.id, user_1});
  CHECK(all.message_as<inbox::kind, inbox::list>() == inbox::list{inbox::selection::everything, {3, ""}});
  const auto unread = kit().bind({.path = notes_of_1 + "?unread=true", .who = as_admin(user(2))});
  CHECK(unread.message_as<inbox::kind, inbox::list>().which == inbox::selection::unread);
  CHECK(kit()
            .bind({.path = notes_of_1 + "?unread=false", .who = as_user(user(1))})
            .message_as<inbox::kind, inbox::list>()
            .which == inbox::selection::everything);
  CHECK(kit().bind({.path = notes_of_1 + "?unread=1", .who = as_user(user(1))}).pointers() ==
        pointers{"?unread"});
  CHECK(kit().bind({.path = notes_of_1, .who = as_user(user(2))}).unrouted_status() == 403);
  CHECK(kit().bind({.path = notes_of_1 + "/unread-count", .who = as_user(user(2))}).unrouted_status() == 403);
  CHECK(kit()
            .bind({.method = post, .path = notes_of_1 + "/read-all", .who = as_user(user(2))})
            .unrouted_status() == 403);
  CHECK(kit().bind({.path = "/api/v1/users/bob/notifications", .who = as_user(user(1))}).pointers() ==
        pointers{"userId"});
  kit()
      .bind({.path = notes_of_1 + "/unread-count", .who = as_user(user(1))})
      .message_as<inbox::kind, inbox::get_unread_count>();
  kit()
      .bind({.method = post, .path = notes_of_1 + "/read-all", .who = as_user(user(1))})
      .message_as<inbox::kind, inbox::read_all>();
}

TEST_CASE("routes: nobody is the user without an id") {
  const std::string nil = "00000000-0000-0000-0000-000000000000";
  for (const auto& who : {as_admin(user(1)), as_compat()}) {
    CHECK(kit().bind({.path = "/api/v1/tasks?userId=" + nil, .who = who}).pointers() == pointers{"?userId"});
    CHECK(kit().bind({.path = "/api/v1/users/" + nil + "/notifications", .who = who}).pointers() ==
          pointers{"userId"});
  }
}

TEST_CASE("routes: a notification of somebody else is not found") {
  const std::string id = user_1 + "." + user_2;
  const auto read =
      kit().bind({.method = patch, .path = "/api/v1/notifications/" + id + "/read", .who = as_user(user(1))});
  CHECK(read.message().target == entity_ref{inbox::kind::options.id, user_1});
  CHECK(read.message_as<inbox::kind, inbox::mark_read>() == inbox::mark_read{user(2)});
  const auto removed =
      kit().bind({.method = del, .path = "/api/v1/notifications/" + id, .who = as_admin(user(3))});
  CHECK(removed.message_as<inbox::kind, inbox::remove>() == inbox::remove{user(2)});
  for (const std::string& bad : pointers{id, user_1, std::string{"x.y"}}) {
    CAPTURE(bad);
    CHECK(kit()
              .bind({.method = del, .path = "/api/v1/notifications/" + bad, .who = as_user(user(2))})
              .unrouted_status() == 404);
  }
}

namespace {

template <class Refusal>
void check_problems(const route_block& block, const std::vector<std::pair<Refusal, std::string>>& expected) {
  std::size_t refusals = 0;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<Refusal>>([&](auto) { ++refusals; });
  CHECK(expected.size() == refusals);
  for (const auto& [code, line] : expected) {
    const auto problem = block.problem_of(static_cast<std::uint16_t>(code));
    CHECK(std::to_string(problem.status) + " " + std::string{problem.slug} == line);
    CHECK_FALSE(problem.title.empty());
    CHECK(problem.meaning.ends_with('.'));
  }
  CHECK(block.problem_of(999).slug.empty());
}

}  // namespace

TEST_CASE("routes: every refusal of a SKU has its problem") {
  using enum sku::refusal;
  check_problems<sku::refusal>(kit().blocks()[0], {{no_such_sku, "404 no-such-sku"},
                                                   {bad_definition, "400 bad-sku"},
                                                   {stock_is_set, "409 stock-is-set"},
                                                   {bad_quantity, "400 bad-quantity"},
                                                   {stock_limit, "409 stock-limit"},
                                                   {sale_not_open, "409 sale-not-open"},
                                                   {sold_out, "409 sold-out"},
                                                   {limit_reached, "409 limit-reached"},
                                                   {no_such_order, "404 no-such-order"},
                                                   {order_closed, "409 order-closed"},
                                                   {hold_expired, "409 hold-expired"}});
}

TEST_CASE("routes: every refusal of a task and an inbox has its problem") {
  check_problems<task::refusal>(kit().blocks()[1], {{task::refusal::no_such_task, "404 no-such-task"},
                                                    {task::refusal::task_exists, "409 task-exists"},
                                                    {task::refusal::bad_text, "400 bad-text"}});
  check_problems<inbox::refusal>(kit().blocks()[2],
                                 {{inbox::refusal::no_such_notification, "404 no-such-notification"}});
}
