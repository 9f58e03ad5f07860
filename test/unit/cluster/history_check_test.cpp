#include <doctest/doctest.h>

#include "cluster/history/check.hpp"

using namespace troupe::history;

/// Histories of one SKU that are small enough to be judged by reading them.
namespace {

struct seen {
  outcome how = outcome::ok;
  place at{};
  stock_counts said{};
  bool is_replay = false;
};

operation asked(command_id by, op_kind kind, std::int64_t invoked_ns, std::int64_t returned_ns,
                const seen& answer) {
  operation out;
  out.command = by;
  out.kind = kind;
  out.outcome = answer.how;
  out.why = answer.how == outcome::rejected ? reason::sold_out : reason::none;
  out.is_replay = answer.is_replay;
  out.sku = 1;
  out.order = kind == op_kind::reserve && answer.how == outcome::ok ? 77 : 0;
  out.quantity = kind == op_kind::read ? 0 : 1;
  out.invoked_ns = invoked_ns;
  out.returned_ns = answer.how == outcome::unknown ? never : returned_ns;
  out.witness = answer.at;
  out.said = answer.said;
  return out;
}

/// Nothing is there at first; client 2 restocks one unit twice, and between them client 1 buys one.
replica_dump sold_between_two_restocks() {
  replica_dump out;
  out.node = 1;
  out.commit = out.applied = 3;
  out.digest = 1;
  out.entries = {{{1, 1}, {2, 1}, op_kind::restock, 1, 0, 1, {1, 0, 0}},
                 {{1, 2}, {1, 1}, op_kind::reserve, 1, 77, 1, {0, 0, 1}},
                 {{1, 3}, {2, 2}, op_kind::restock, 1, 0, 1, {1, 0, 1}}};
  out.skus = {{1, 0, 2, {1, 0, 1}}};
  out.orders = {{1, 77, 1, order_status::confirmed}};
  return out;
}

recorded_history history_of(std::vector<operation> operations) {
  recorded_history out;
  out.skus = {{1, 0, 0, false}};
  out.operations = std::move(operations);
  out.replicas = {sold_between_two_restocks()};
  return out;
}

constexpr command_id buyer{1, 1};
constexpr command_id first_restock{2, 1};
constexpr command_id second_restock{2, 2};
const seen refused{outcome::rejected, {0, 0}, {0, 0, 0}};
const seen unknown{outcome::unknown, {}, {}};
const seen sold{outcome::ok, {1, 2}, {0, 0, 1}};

}  // namespace

TEST_CASE("history: a refused attempt does not open the time in which its command may have been done") {
  const auto restocked = asked(first_restock, op_kind::restock, 11, 12, {outcome::ok, {1, 1}, {1, 0, 0}});
  const auto again = asked(second_restock, op_kind::restock, 13, 14, {outcome::ok, {1, 3}, {1, 0, 1}});
  const auto refusal = asked(buyer, op_kind::reserve, 0, 10, refused);
  // Others were shown the sale before the attempt that can have made it was asked.
  CHECK_FALSE(
      check(history_of({refusal, restocked, again, asked(buyer, op_kind::reserve, 20, 30, sold)})).holds());
  CHECK_FALSE(check(history_of({refusal, restocked, again, asked(buyer, op_kind::reserve, 20, 30, unknown)}))
                  .holds());
  CHECK_FALSE(check(history_of({restocked, again, asked(buyer, op_kind::reserve, 20, 30, sold)})).holds());
  // It was asked in time, or the attempt before was not refused.
  const auto later = asked(second_restock, op_kind::restock, 40, 41, {outcome::ok, {1, 3}, {1, 0, 1}});
  CHECK(check(history_of({refusal, restocked, later, asked(buyer, op_kind::reserve, 20, 30, sold)})).holds());
  const auto lost = asked(buyer, op_kind::reserve, 0, 10, unknown);
  CHECK(check(history_of({lost, restocked, again, asked(buyer, op_kind::reserve, 20, 30, sold)})).holds());
}

TEST_CASE("history: a repeated reply does not name a place that nobody had asked for yet") {
  const auto restocked = asked(first_restock, op_kind::restock, 1, 2, {outcome::ok, {1, 1}, {1, 0, 0}});
  const auto lost = asked(buyer, op_kind::reserve, 3, 4, unknown);
  auto early = sold;
  early.at.index = 3;
  early.is_replay = true;
  const auto repeated = asked(buyer, op_kind::reserve, 20, 30, early);
  const auto restock_at = [](std::int64_t ns) {
    return asked(second_restock, op_kind::restock, ns, ns + 1, {outcome::ok, {1, 3}, {1, 0, 1}});
  };
  CHECK(check(history_of({restocked, lost, restock_at(15), repeated})).holds());
  CHECK_FALSE(check(history_of({restocked, lost, restock_at(50), repeated})).holds());
}

TEST_CASE("history: a client that has seen a state is shown no older one, whatever was under way meanwhile") {
  const auto read = [](std::uint64_t number, std::int64_t from, std::int64_t to, std::uint64_t index) {
    return asked({1, number}, op_kind::read, from, to, {outcome::ok, {1, index}, {0, 0, 0}});
  };
  auto clients_only = history_of({read(1, 0, 100, 5), read(2, 10, 20, 50), read(3, 30, 40, 10)});
  clients_only.replicas.clear();
  CHECK_FALSE(check(clients_only).holds());
  clients_only.operations.back().witness.index = 50;
  CHECK(check(clients_only).holds());
}

TEST_CASE("history: without logs too a command has one result, and a place one command") {
  const auto clients_only = [](std::vector<operation> operations) {
    auto out = history_of(std::move(operations));
    out.skus.front().initial = 9;
    out.replicas.clear();
    return check(out).holds();
  };
  const auto first = asked(buyer, op_kind::reserve, 0, 10, sold);
  auto again = asked(buyer, op_kind::reserve, 20, 30, {outcome::ok, {1, 2}, {0, 0, 1}, true});
  CHECK(clients_only({first, again}));
  again.order = 78;
  CHECK_FALSE(clients_only({first, again}));
  again.order = first.order;
  again.said.available = 3;
  CHECK_FALSE(clients_only({first, again}));
  CHECK_FALSE(
      clients_only({first, asked(buyer, op_kind::reserve, 20, 30, {outcome::rejected, {1, 5}, {0, 0, 1}})}));
  // It was asked before the acknowledgement came, and may have overtaken.
  CHECK(clients_only({first, asked(buyer, op_kind::reserve, 5, 30, {outcome::rejected, {1, 1}, {0, 0, 0}})}));
  auto other = asked({3, 1}, op_kind::reserve, 0, 10, sold);
  other.order = 79;
  CHECK_FALSE(clients_only({first, other}));
  other.witness.index = 3;
  CHECK(clients_only({first, other}));
}
