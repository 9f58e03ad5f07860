#include "cli/flash_sale/control.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <boost/json.hpp>
#include <thread>

namespace troupe::flash_sale {
namespace {

namespace json = boost::json;
using client::environment_error;

constexpr std::size_t page_items = 100;
/// A list that does not come to an end is a broken cursor, not a big sale.
constexpr std::size_t pages_max = 1'000'000;

environment_error unexpected(const std::string& what, int status, const std::string& body) {
  std::string hint;
  if (status == 401 || status == 403) hint = " Is --data the data directory of this very server?";
  if (status == 404) hint = " Is this address the public port of a troupe server?";
  return environment_error(fmt::format("{} was answered with {}.{} The server says: {}", what, status, hint,
                                       body.empty() ? "(nothing)" : body.substr(0, 500)));
}

json::object read_object(const std::string& what, const std::string& body) {
  boost::system::error_code error;
  auto value = json::parse(body, error);
  if (error || !value.is_object())
    throw environment_error(fmt::format("{} is not a JSON object: {}", what, body.substr(0, 200)));
  return std::move(value.get_object());
}

template <class T>
T number(const json::object& o, std::string_view name) {
  const auto* member = o.if_contains(name);
  boost::system::error_code error;
  const T value = member == nullptr ? T{} : member->to_number<T>(error);
  if (member == nullptr || error)
    throw environment_error(
        fmt::format("The server's answer has no number {}: {}", name, json::serialize(o)));
  return value;
}

std::string text(const json::object& o, std::string_view name) {
  const auto* member = o.if_contains(name);
  if (member == nullptr || !member->is_string())
    throw environment_error(fmt::format("The server's answer has no text {}: {}", name, json::serialize(o)));
  return std::string(std::string_view{member->get_string()});
}

std::string url_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          c == '-' || c == '_' || c == '.' || c == '~';
    if (is_plain) {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace

struct sale_control::connection {
  httplib::Client http;
  httplib::Headers headers;
};

sale_control::sale_control(const client::endpoint& server, std::string sku_target,
                           const std::string& admin_token)
    : sku_target_(std::move(sku_target)),
      authority_(server.authority()),
      connection_(
          new connection{httplib::Client(server.host, server.port),
                         {{"Authorization", "Bearer " + admin_token}, {"Host", server.authority()}}}) {
  connection_->http.set_keep_alive(true);
  connection_->http.set_tcp_nodelay(true);
  connection_->http.set_connection_timeout(std::chrono::seconds{3});
  connection_->http.set_read_timeout(std::chrono::seconds{30});
}

sale_control::~sale_control() = default;

void sale_control::put_up(const flash_sale_options& o) {
  json::object body{{"name", "Flash sale " + o.sku}, {"stock", o.stock}};
  if (o.per_user_limit) body["perUserLimit"] = *o.per_user_limit;
  if (o.hold_seconds) body["holdSeconds"] = *o.hold_seconds;
  const auto answer =
      connection_->http.Put(sku_target_, connection_->headers, json::serialize(body), "application/json");
  if (!answer) {
    throw environment_error(
        fmt::format("No server answers at {} ({}). Start one with `troupe serve --data {}`, or give "
                    "its address with --url.",
                    authority_, to_string(answer.error()), o.data.string()));
  }
  if (answer->status / 100 != 2) throw unexpected("PUT " + sku_target_, answer->status, answer->body);
  if (!read_orders().empty()) {
    throw environment_error(fmt::format(
        "The SKU {} has orders already. Choose another --sku, or leave it out for a fresh name.", o.sku));
  }
}

void sale_control::await_server(std::chrono::seconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (true) {
    const auto answer = connection_->http.Get(sku_target_, connection_->headers);
    if (answer && answer->status / 100 != 5) return;
    if (std::chrono::steady_clock::now() > until) {
      throw environment_error(
          fmt::format("The server at {} did not come back within {} s after the restart. "
                      "What it said is in PID_FILE.restart.log.",
                      authority_, patience.count()));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
}

std::string sale_control::get(const std::string& target) {
  const auto answer = connection_->http.Get(target, connection_->headers);
  if (!answer)
    throw environment_error(fmt::format("The server at {} does not answer any more ({}).", authority_,
                                        to_string(answer.error())));
  if (answer->status != 200) throw unexpected("GET " + target, answer->status, answer->body);
  return answer->body;
}

stock_view sale_control::read_stock() {
  const auto o = read_object("The stock", get(sku_target_));
  stock_view v;
  v.available = number<std::int64_t>(o, "available");
  v.reserved = number<std::int64_t>(o, "reserved");
  v.sold = number<std::int64_t>(o, "sold");
  v.initial = number<std::int64_t>(o, "initial");
  if (o.contains("restocked")) v.restocked = number<std::int64_t>(o, "restocked");
  return v;
}

std::vector<listed_order> sale_control::read_orders() {
  std::vector<listed_order> out;
  std::string cursor;
  for (std::size_t page = 0; page < pages_max; ++page) {
    std::string target = fmt::format("{}/orders?limit={}", sku_target_, page_items);
    if (!cursor.empty()) target += "&cursor=" + url_encoded(cursor);
    const auto o = read_object("The list of orders", get(target));
    const auto* items = o.if_contains("items");
    if (items == nullptr || !items->is_array()) throw environment_error("The list of orders has no items.");
    for (const auto& item : items->get_array()) {
      if (!item.is_object()) throw environment_error("The list of orders has an item that is no object.");
      const auto& order = item.get_object();
      out.push_back({text(order, "orderId"), text(order, "userId"), number<std::int64_t>(order, "quantity"),
                     text(order, "status"), number<std::uint64_t>(order, "arrival")});
    }
    const auto* next = o.if_contains("nextCursor");
    if (next == nullptr || next->is_null()) return out;
    cursor = text(o, "nextCursor");
  }
  throw environment_error("The list of orders does not come to an end.");
}

}  // namespace troupe::flash_sale
