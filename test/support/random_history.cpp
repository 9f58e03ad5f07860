#include "test/support/random_history.hpp"

#include <algorithm>
#include <utility>

namespace troupe::test {

using namespace history;

history_maker::history_maker(std::uint64_t seed, history_shape shape)
    : random_(seed), shape_(shape), shards_(shape.shards), clients_(shape.clients) {
  for (std::uint32_t sku = 1; sku <= shape_.skus; ++sku) {
    const sku_setup setup{sku, sku % shape_.shards, shape_.initial, sku % 4 != 3};
    out_.skus.push_back(setup);
    models_.emplace(sku, stock_model{setup});
  }
}

recorded_history history_maker::make() {
  while (out_.operations.size() < shape_.operations) step();
  dump_replicas();
  return std::move(out_);
}

void history_maker::step() {
  now_ += 100;
  if (chance(2)) change_primary();
  if (chance(shape_.expire_percent)) expire_something();
  const auto client = static_cast<std::uint32_t>(below(clients_.size()));
  auto& c = clients_[client];
  if (c.free_at >= now_) return;
  auto op = ask_something(client);
  const auto reach = std::min(shape_.overlap, now_ - c.free_at - 1);
  op.invoked_ns = now_ - static_cast<std::int64_t>(below(static_cast<std::uint64_t>(reach) + 1));
  if (chance(shape_.unknown_percent)) {
    if (chance(70)) run(op);
    c.free_at = now_ + 1;
    lose_answer(op);
    return;
  }
  run(op);
  op.returned_ns = now_ + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(shape_.overlap) + 1));
  c.free_at = op.returned_ns;
  out_.operations.push_back(op);
}

operation history_maker::ask_something(std::uint32_t client) {
  operation op;
  op.command = {client + 1, clients_[client].next_command++};
  op.sku = static_cast<std::uint32_t>(1 + below(shape_.skus));
  const auto orders = next_order_[op.sku];
  const auto dice = below(100);
  op.kind = dice < 50   ? op_kind::reserve
            : dice < 65 ? op_kind::confirm
            : dice < 75 ? op_kind::cancel
            : dice < 80 ? op_kind::restock
                        : op_kind::read;
  if (op.kind == op_kind::reserve) op.quantity = 1 + static_cast<std::int64_t>(below(3));
  if (op.kind == op_kind::restock) op.quantity = 1 + static_cast<std::int64_t>(below(5));
  if (op.kind == op_kind::confirm || op.kind == op_kind::cancel) op.order = 1 + below(orders + 2);
  return op;
}

void history_maker::run(operation& op) {
  auto& model = models_.at(op.sku);
  const auto shard = op.sku % shape_.shards;
  if (op.kind == op_kind::reserve) op.order = next_order_[op.sku] + 1;
  const auto answer = model.apply(op.kind, op.order, op.quantity);
  if (op.kind == op_kind::reserve) {
    if (answer.changes) ++next_order_[op.sku];
    if (!answer.changes) op.order = 0;
  }
  op.outcome = answer.what;
  op.why = answer.why;
  if (answer.changes) append(shard, {{}, op.command, op.kind, op.sku, op.order, op.quantity, model.counts()});
  const auto& log = shards_[shard].log;
  op.witness = {shards_[shard].epoch, log.empty() ? 0 : log.back().at.index};
  if (op.kind == op_kind::read) op.said = model.counts();
  if (op.kind == op_kind::reserve) op.said.available = model.counts().available;
}

void history_maker::lose_answer(operation& op) {
  const auto answered = op;
  op.outcome = outcome::unknown;
  op.why = reason::none;
  op.returned_ns = never;
  op.witness = {};
  op.said = {};
  if (op.kind == op_kind::reserve) op.order = 0;
  out_.operations.push_back(op);
  if (op.kind != op_kind::read && chance(50)) ask_again(answered);
}

// The same command once more: a stored reply if it was done, and run now otherwise.
void history_maker::ask_again(const operation& first) {
  now_ += 100;
  auto op = first;
  op.invoked_ns = now_ - 50;
  const auto& log = shards_[op.sku % shape_.shards].log;
  const bool is_done = !log.empty() && log.back().command == op.command;  // nothing else has run since
  if (is_done) {
    op.is_replay = true;
  } else {
    if (op.kind == op_kind::reserve) op.order = 0;
    op.outcome = outcome::unknown;
    op.why = reason::none;
    op.said = {};
    run(op);
  }
  op.returned_ns = now_ + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(shape_.overlap) + 1));
  clients_[op.command.client - 1].free_at = op.returned_ns;
  out_.operations.push_back(op);
}

void history_maker::append(std::uint32_t shard, log_entry entry) {
  auto& s = shards_[shard];
  entry.at = {s.epoch, s.log.size() + 1};
  s.log.push_back(entry);
}

void history_maker::change_primary() {
  const auto shard = static_cast<std::uint32_t>(below(shape_.shards));
  ++shards_[shard].epoch;
  append(shard, {});
}

void history_maker::expire_something() {
  const auto sku = static_cast<std::uint32_t>(1 + below(shape_.skus));
  auto& model = models_.at(sku);
  const auto order = 1 + below(next_order_[sku] + 1);
  const auto found = model.orders().find(order);
  if (found == model.orders().end() || found->second.status != order_status::reserved) return;
  model.apply(op_kind::expire, order, 0);
  append(sku % shape_.shards, {{}, {}, op_kind::expire, sku, order, 0, model.counts()});
}

void history_maker::dump_replicas() {
  for (std::uint32_t shard = 0; shard < shape_.shards; ++shard) {
    const auto& log = shards_[shard].log;
    for (std::uint32_t node = 1; node <= shape_.replicas; ++node) {
      replica_dump dump{
          .node = node, .shard = shard, .commit = log.size(), .applied = log.size(), .digest = 7};
      dump.entries = log;
      // The last one lags: it has a shorter log, and an entry at its end that was never committed.
      if (node > 1 && node == shape_.replicas && log.size() > 3) {
        dump.entries.resize(log.size() - 2);
        dump.commit = dump.entries.size() - 1;
        dump.entries.back().order += 1000;
        dump.applied = 0;
      }
      dump_rows(dump);
      out_.replicas.push_back(std::move(dump));
    }
  }
}

void history_maker::dump_rows(replica_dump& dump) {
  for (const auto& [sku, model] : models_) {
    if (sku % shape_.shards != dump.shard) continue;
    if (dump.applied == 0) {
      dump.skus.push_back({sku, model.initial(), 0, {model.initial(), 0, 0}});
      continue;
    }
    dump.skus.push_back({sku, model.initial(), model.restocked(), model.counts()});
    for (const auto& [order, state] : model.orders())
      dump.orders.push_back({sku, order, state.quantity, state.status});
  }
}

}  // namespace troupe::test
