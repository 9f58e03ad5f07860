#include "test/chaos/workload.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <random>
#include <utility>

#include "actors/sku/sku.hpp"
#include "cluster/history/recorder.hpp"
#include "http_front/policy/idempotency.hpp"
#include "test/chaos/front_client.hpp"

namespace troupe::chaos {

using history::op_kind;
using history::operation;
using history::outcome;

namespace {

history::reason reason_of(const std::string& problem) {
  using history::reason;
  if (problem == "sold-out") return reason::sold_out;
  if (problem == "order-closed") return reason::order_closed;
  if (problem == "hold-expired") return reason::hold_expired;
  if (problem == "bad-quantity") return reason::bad_quantity;
  return reason::none;
}

std::string sku_path(const std::string& name) { return "/api/v1/skus/" + name; }

}  // namespace

class workload::client {
 public:
  client(workload& of, std::uint64_t number)
      : of_(of),
        number_(number),
        random_(of.options_.seed * 1000 + number),
        front_(of.options_.urls, of.options_.token, number, 6000) {}

  void run() {
    while (!of_.is_over_) {
      do_something();
      std::this_thread::sleep_for(std::chrono::milliseconds{draw(of_.options_.think_ms_max)});
    }
  }

  std::vector<operation> operations;
  std::map<std::string, history::command_id> commands;
  std::vector<std::string> oddities;

 private:
  struct open_order {
    std::size_t sku = 0;
    std::string id;
    std::uint64_t arrival = 0;
    std::int64_t quantity = 0;
  };

  enum class turn : std::uint8_t { first, repeated };

  int draw(int max) { return std::uniform_int_distribution<int>{0, max}(random_); }

  void do_something() {
    operation op;
    op.command = {number_, ++commands_};
    // A few are asked for most of what is asked.
    op.sku = static_cast<std::uint32_t>(draw(2) == 0 ? draw(static_cast<int>(of_.shop_.names.size()) - 1)
                                                     : draw(1));
    const auto what = draw(99);
    std::string order_id;
    if (what < 30) {
      op.kind = op_kind::read;
    } else if (what < 35) {
      op.kind = op_kind::restock;
      op.quantity = 1 + draw(20);
    } else if (what < 60 && !held_.empty()) {
      const auto at = static_cast<std::size_t>(draw(static_cast<int>(held_.size()) - 1));
      const auto order = std::exchange(held_[at], held_.back());
      held_.pop_back();
      op.kind = what < 50 ? op_kind::confirm : op_kind::cancel;
      op.sku = static_cast<std::uint32_t>(order.sku);
      op.order = order.arrival;
      op.quantity = order.quantity;
      order_id = order.id;
    } else {
      op.kind = op_kind::reserve;
      op.quantity = 1 + draw(3);
    }
    settle(op, order_id);
  }

  request request_of(const operation& op, const std::string& order_id) const {
    const auto& name = of_.shop_.names[op.sku];
    const auto key = fmt::format("{}-{}", number_, op.command.number);
    const auto quantity = fmt::format(R"({{"quantity":{}}})", op.quantity);
    switch (op.kind) {
      case op_kind::restock:
        return {"POST", sku_path(name) + "/restock", quantity, key};
      case op_kind::confirm:
        return {"POST", "/api/v1/orders/" + order_id + "/confirm", "", key};
      case op_kind::cancel:
        return {"POST", "/api/v1/orders/" + order_id + "/cancel", "", key};
      case op_kind::reserve:
        return {"POST", sku_path(name) + "/orders", quantity, key};
      default:
        return {"GET", sku_path(name), "", ""};
    }
  }

  /// Until it has an outcome; and now and then once more, which must give the same.
  void settle(operation op, const std::string& order_id) {
    const auto asked = request_of(op, order_id);
    if (!asked.key.empty()) remember_key(op, asked.key);
    const auto until = history::history_now() + of_.options_.patience_ms * std::int64_t{1'000'000};
    bool is_settled = attempt(op, asked, turn::first);
    if (op.kind == op_kind::read) return;  // another read asks something else
    while (!is_settled && history::history_now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds{20 + draw(30)});
      is_settled = attempt(op, asked, turn::repeated);
    }
    if (!is_settled) ++of_.figures_.given_up;
    if (is_settled && draw(99) < 30) attempt(op, asked, turn::repeated);
  }

  void remember_key(const operation& op, const std::string& key) {
    const auto id = http::key_id(*parse_uuid(of_.options_.user), key);
    const auto& name = of_.shop_.names[op.sku];
    const auto named = http::command_id_for(id, entity_ref{sku::kind::options.id, name});
    commands.emplace(std::string{named.view()}, op.command);
  }

  /// One attempt, recorded. False: it has no outcome.
  bool attempt(operation op, const request& asked, turn which) {
    const bool is_first_write = which == turn::first && op.kind != op_kind::read;
    op.invoked_ns = history::history_now();
    const auto got = is_first_write ? of_.writes_.ask(front_, asked) : front_.ask(asked);
    const auto returned = history::history_now();
    ++of_.figures_.asked;
    const bool has_outcome =
        got.is_ok() || (got.is_rejection() && reason_of(got.problem) != history::reason::none);
    const bool is_odd = has_outcome ? got.version == 0 : got.has_outcome();
    if (is_odd && oddities.size() < 5)
      oddities.push_back(fmt::format("{} {}: {} {}", asked.method, asked.path, got.status, got.body));
    if (has_outcome && !is_odd) {
      ++of_.figures_.answered;
      op.returned_ns = returned;
      op.is_replay = got.is_replay;
      op.witness.index = got.version;
      op.outcome = got.is_ok() ? outcome::ok : outcome::rejected;
      if (got.is_ok()) {
        read_reply(op, got.body);
      } else {
        op.why = reason_of(got.problem);
      }
    } else {
      ++of_.figures_.unknown;
    }
    operations.push_back(op);
    return has_outcome;
  }

  void read_reply(operation& op, const std::string& body) {
    const auto json = boost::json::parse(body).as_object();
    if (op.kind == op_kind::read || op.kind == op_kind::restock) {
      op.said = {json.at("available").to_number<std::int64_t>(),
                 json.at("reserved").to_number<std::int64_t>(), json.at("sold").to_number<std::int64_t>()};
      return;
    }
    if (op.kind != op_kind::reserve) return;
    op.order = json.at("arrival").to_number<std::uint64_t>();
    if (json.at("status").as_string() == "reserved" && !op.is_replay && held_.size() < 200)
      held_.push_back({op.sku, std::string{json.at("orderId").as_string()}, op.order, op.quantity});
  }

  workload& of_;
  const std::uint64_t number_;
  std::mt19937_64 random_;
  front_client front_;
  std::uint64_t commands_ = 0;
  std::vector<open_order> held_;
};

workload::workload(shop of, workload_options options, first_attempts& writes)
    : shop_(std::move(of)), options_(std::move(options)), writes_(writes) {
  for (std::uint64_t i = 1; i <= options_.clients; ++i)
    clients_.push_back(std::make_unique<client>(*this, i));
}

workload::~workload() { finish(); }

bool workload::open(std::string& fault) {
  front_client front{options_.urls, options_.token, 0, 6000};
  for (std::size_t i = 0; i < shop_.names.size(); ++i) {
    auto body = fmt::format(R"({{"name":"{}","stock":{})", shop_.names[i], shop_.initial);
    body += shop_.holds(i) ? fmt::format(R"(,"holdSeconds":{}}})", shop_.hold_seconds) : "}";
    const auto got = front.ask({"PUT", sku_path(shop_.names[i]), body, ""});
    if (got.is_ok()) continue;
    fault = fmt::format("{} was not defined: {} {}", shop_.names[i], got.status, got.body);
    return false;
  }
  return true;
}

void workload::start() {
  for (auto& one : clients_) threads_.emplace_back([&one] { one->run(); });
}

void workload::finish() {
  is_over_ = true;
  for (auto& one : threads_) one.join();
  threads_.clear();
}

std::vector<operation> workload::take_operations() {
  std::vector<operation> out;
  for (auto& one : clients_) {
    out.insert(out.end(), one->operations.begin(), one->operations.end());
    commands_.merge(one->commands);
    oddities_.insert(oddities_.end(), one->oddities.begin(), one->oddities.end());
  }
  return out;
}

}  // namespace troupe::chaos
