#include <doctest/doctest.h>

#include "actors/inbox/inbox.hpp"
#include "actors/kinds.hpp"
#include "test/support/route_kit.hpp"

using namespace troupe;
using namespace std::chrono_literals;
using test::as_admin;
using test::as_compat;
using test::as_user;
using test::user;
using enum http_method;

namespace {

const std::string user_1 = to_string(user(1));

struct world {
  test::kind_world entities{all_kinds()};
  test::route_kit routes{all_routes()};

  test::http_answer call(const test::request& r) {
    auto answer = routes.call(entities, r);
    entities.deliver_all();
    return answer;
  }
  std::string get_body(const std::string& path, const principal& who) {
    return call({.path = path, .who = who}).body;
  }
  boost::json::value get_json(const std::string& path, const principal& who) {
    return boost::json::parse(get_body(path, who));
  }
};

}  // namespace

TEST_CASE("world: a task that is created is in its user's agenda and inbox") {
  world w;
  const auto created = w.call({.method = post,
                               .path = "/api/v1/tasks",
                               .body = R"({"title":"Write","userId":")" + user_1 + R"("})",
                               .who = as_user(user(2))});
  CHECK(created.status == 201);
  const auto tasks = w.get_json("/api/v1/tasks?status=open", as_user(user(1)));
  REQUIRE(tasks.at("items").as_array().size() == 1);
  CHECK(tasks.at("items").at(0).at("title") == "Write");
  CHECK(tasks.at("items").at(0).at("id") == boost::json::parse(created.body).at("id"));
  CHECK(w.get_body("/api/v1/users/" + user_1 + "/notifications/unread-count", as_user(user(1))) ==
        R"({"unreadCount":1})");
}

TEST_CASE("world: a task that is done leaves the open ones, one that is deleted leaves all") {
  world w;
  const auto made = w.call({.method = post,
                            .path = "/api/v1/tasks",
                            .body = R"({"title":"Write","userId":")" + user_1 + R"("})",
                            .who = as_user(user(1))});
  const std::string path = "/api/v1/tasks/" + std::string{boost::json::parse(made.body).at("id").as_string()};
  CHECK(w.call({.method = patch, .path = path, .body = R"({"status":"done"})", .who = as_user(user(1))})
            .status == 200);
  CHECK(w.get_body("/api/v1/tasks?status=open", as_user(user(1))) == R"({"items":[]})");
  CHECK(w.get_json("/api/v1/tasks?status=done", as_user(user(1))).at("items").as_array().size() == 1);
  CHECK(w.call({.method = del, .path = path, .who = as_user(user(1))}).status == 204);
  CHECK(w.get_body("/api/v1/tasks", as_user(user(1))) == R"({"items":[]})");
  CHECK(w.call({.path = path, .who = as_user(user(1))}).status == 404);
}

TEST_CASE("world: a due date reminds through the inbox") {
  world w;
  w.call({.method = post,
          .path = "/api/v1/tasks",
          .body = R"({"title":"Write","userId":")" + user_1 + R"(","dueAt":"2026-01-31T10:30:00Z"})",
          .who = as_user(user(1))});
  w.entities.advance(1h);
  const auto notes = w.get_json("/api/v1/users/" + user_1 + "/notifications?unread=true", as_user(user(1)));
  REQUIRE(notes.at("items").as_array().size() == 2);
  CHECK(notes.at("items").at(0).at("type") == "task_due");
  CHECK(notes.at("items").at(1).at("type") == "task_created");
}

TEST_CASE("world: the curl lines of the task document run without a token and without a prefix") {
  world w;
  const auto made = w.call({.method = post,
                            .path = "/tasks",
                            .body = R"({"title":"Write","description":"x","userId":")" + user_1 + R"("})",
                            .who = as_compat()});
  CHECK(made.status == 201);
  const std::string id{boost::json::parse(made.body).at("id").as_string()};
  CHECK(w.call({.path = "/tasks/" + id, .who = as_compat()}).status == 200);
  CHECK(w.get_json("/tasks?userId=" + user_1, as_compat()).at("items").as_array().size() == 1);
  CHECK(w.call({.path = "/tasks", .who = as_compat()}).status == 400);
  const auto notes = w.get_json("/users/" + user_1 + "/notifications", as_compat());
  REQUIRE(notes.at("items").as_array().size() == 1);
  const std::string note{notes.at("items").at(0).at("id").as_string()};
  CHECK(w.get_body("/users/" + user_1 + "/notifications/unread-count", as_compat()) ==
        R"({"unreadCount":1})");
  const auto read = w.call({.method = patch, .path = "/notifications/" + note + "/read", .who = as_compat()});
  CHECK(read.status == 200);
  CHECK(boost::json::parse(read.body).at("read") == true);
  CHECK(w.get_body("/users/" + user_1 + "/notifications/unread-count", as_compat()) ==
        R"({"unreadCount":0})");
  CHECK(w.call({.method = patch, .path = "/tasks/" + id, .body = R"({"status":"done"})", .who = as_compat()})
            .status == 200);
  CHECK(w.call({.method = del, .path = "/tasks/" + id, .who = as_compat()}).status == 204);
}

TEST_CASE("world: an order is in the stock, in the SKU's list and in the buyer's orders") {
  world w;
  CHECK(w.call({.method = put,
                .path = "/api/v1/skus/phone",
                .body = R"({"name":"Phone","stock":2,"holdSeconds":60})",
                .who = as_admin(user(9))})
            .status == 200);
  const auto placed = w.call({.method = post,
                              .path = "/api/v1/skus/phone/orders",
                              .body = R"({"quantity":2})",
                              .who = as_user(user(1))});
  CHECK(placed.status == 201);
  const auto order = boost::json::parse(placed.body);
  CHECK(order.at("status") == "reserved");
  CHECK(order.at("arrival") == 1);
  CHECK(order.at("expiresAt") == "2026-01-31T09:31:00.000Z");
  CHECK(order.at("placedAt") == "2026-01-31T09:30:00.000Z");
  CHECK(w.get_json("/api/v1/skus/phone", {}).at("soldOut") == true);
  CHECK(w.call({.method = post,
                .path = "/api/v1/orders",
                .body = R"({"sku":"phone","quantity":1})",
                .who = as_user(user(2))})
            .body == "sold-out");
  const auto mine = w.get_json("/api/v1/orders?mine", as_user(user(1)));
  REQUIRE(mine.at("items").as_array().size() == 1);
  CHECK(mine.at("items").at(0).at("orderId") == order.at("orderId"));
  CHECK(w.get_json("/api/v1/skus/phone/orders", as_admin(user(9))).at("items").at(0) == order);

  const std::string path = "/api/v1/orders/" + std::string{order.at("orderId").as_string()};
  CHECK(w.call({.path = path, .who = as_user(user(2))}).status == 404);
  CHECK(w.call({.method = post, .path = path + "/confirm", .who = as_user(user(1))}).status == 200);
  CHECK(w.get_json("/api/v1/orders", as_user(user(1))).at("items").at(0).at("status") == "confirmed");
  CHECK(w.call({.method = post, .path = path + "/cancel", .who = as_user(user(1))}).status == 200);
  CHECK(w.get_json("/api/v1/skus/phone", {}).at("available") == 2);
}

TEST_CASE("world: a hold that expires shows in the buyer's orders and inbox") {
  world w;
  w.call({.method = put,
          .path = "/api/v1/skus/phone",
          .body = R"({"name":"Phone","stock":2,"holdSeconds":60})",
          .who = as_admin(user(9))});
  w.call({.method = post,
          .path = "/api/v1/skus/phone/orders",
          .body = R"({"quantity":2})",
          .who = as_user(user(1))});
  w.entities.advance(60s);
  CHECK(w.get_json("/api/v1/orders", as_user(user(1))).at("items").at(0).at("status") == "expired");
  CHECK(w.get_body("/api/v1/users/" + user_1 + "/notifications/unread-count", as_user(user(1))) ==
        R"({"unreadCount":1})");
}

TEST_CASE("world: lists hand out cursors that lead to the next page") {
  world w;
  w.call({.method = put,
          .path = "/api/v1/skus/phone",
          .body = R"({"name":"Phone","stock":9})",
          .who = as_admin(user(9))});
  for (std::uint8_t i = 1; i <= 3; ++i) {
    w.call({.method = post,
            .path = "/api/v1/skus/phone/orders",
            .body = R"({"quantity":1})",
            .who = as_user(user(i))});
  }
  const auto first = w.call({.path = "/api/v1/skus/phone/orders?limit=2", .who = as_admin(user(9))});
  CHECK(boost::json::parse(first.body).at("nextCursor").as_string() == first.next_cursor);
  const auto second = w.call(
      {.path = "/api/v1/skus/phone/orders?limit=2&cursor=" + first.next_cursor, .who = as_admin(user(9))});
  CHECK(boost::json::parse(second.body).at("items").at(0).at("arrival") == 3);
  CHECK(second.next_cursor.empty());
  for (const std::string other : {"/api/v1/skus/tablet/orders", "/api/v1/orders", "/api/v1/tasks"}) {
    CHECK(w.call({.path = other + "?cursor=" + first.next_cursor, .who = as_admin(user(9))}).status == 400);
  }
}

TEST_CASE("world: what is created says where it is, and an order which version it has") {
  world w;
  w.call({.method = put,
          .path = "/api/v1/skus/phone",
          .body = R"({"name":"Phone","stock":9,"holdSeconds":60})",
          .who = as_admin(user(9))});
  const auto order = w.call({.method = post,
                             .path = "/api/v1/skus/phone/orders",
                             .body = R"({"quantity":1})",
                             .who = as_user(user(1))});
  CHECK(order.status == 201);
  CHECK(order.version == 1);
  const auto there = w.call({.path = "/api/v1" + order.location, .who = as_user(user(1))});
  CHECK(there.body == order.body);
  CHECK(there.version == 1);
  const auto confirmed =
      w.call({.method = post, .path = "/api/v1" + order.location + "/confirm", .who = as_user(user(1))});
  CHECK(confirmed.version == 2);
  for (const std::string base : {"/api/v1", ""}) {
    const auto who = base.empty() ? as_compat() : as_user(user(1));
    const auto task = w.call({.method = post,
                              .path = base + "/tasks",
                              .body = R"({"title":"T","userId":")" + user_1 + R"("})",
                              .who = who});
    CHECK(w.call({.path = base + task.location, .who = who}).body == task.body);
  }
}

TEST_CASE("world: reading all is swept by the inbox itself") {
  world w;
  for (int i = 0; i < 600; ++i) {
    w.entities.tell<inbox::kind>(user_1, inbox::notify{.type = "test", .title = "x"});
  }
  const auto read = w.call({.method = post,
                            .path = "/api/v1/users/" + user_1 + "/notifications/read-all",
                            .who = as_user(user(1))});
  CHECK(read.body == R"({"unreadCount":0})");
  std::size_t index_rows = 0;
  for (const auto& [name, value] : w.entities.entity({inbox::kind::options.id, user_1}).stored().all()) {
    if (name.first == table_no{2}) ++index_rows;
  }
  CHECK(index_rows == 0);
}
