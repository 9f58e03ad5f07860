#include "test/property/cluster/corruptions.hpp"

#include <algorithm>

namespace troupe::test {
namespace {

using namespace history;

/// A random one of those that match; null: none does.
template <class T, class Match>
T* pick(std::vector<T>& from, id_source& random, Match&& matches) {
  std::vector<T*> found;
  for (auto& item : from)
    if (matches(item)) found.push_back(&item);
  return found.empty() ? nullptr : found[random.next() % found.size()];
}

bool is_first_ok_write(const operation& op) {
  return op.outcome == outcome::ok && !op.is_replay && op.kind == op_kind::reserve;
}

bool is_answered(const operation& op) { return op.outcome != outcome::unknown; }

std::uint32_t shard_of(const recorded_history& h, std::uint32_t sku) {
  return std::find_if(h.skus.begin(), h.skus.end(), [&](const sku_setup& s) { return s.sku == sku; })->shard;
}

/// Takes the entry out of every replica's log, and moves everything behind it up, also what replies say of
/// it: a cluster that has forgotten it and shows no gap.
void forget_entry(recorded_history& h, std::uint32_t shard, std::uint64_t index) {
  for (auto& r : h.replicas) {
    if (r.shard != shard || r.entries.size() < index) continue;
    r.entries.erase(r.entries.begin() + static_cast<std::ptrdiff_t>(index) - 1);
    for (auto i = index - 1; i < r.entries.size(); ++i) --r.entries[i].at.index;
    if (r.commit >= index) --r.commit;
    if (r.applied >= index) --r.applied;
  }
  for (auto& op : h.operations)
    if (shard_of(h, op.sku) == shard && op.witness.index > index) --op.witness.index;
}

replica_dump* full_replica(recorded_history& h, id_source& random) {
  return pick(h.replicas, random, [](const replica_dump& r) { return r.applied > 0 && !r.orders.empty(); });
}

using strike = bool (*)(recorded_history&, id_source&);

bool swap_two_replies(recorded_history& h, id_source& random) {
  auto* a = pick(h.operations, random, is_first_ok_write);
  auto* b =
      pick(h.operations, random, [&](const operation& op) { return is_first_ok_write(op) && &op != a; });
  if (a == nullptr || b == nullptr || a->witness == b->witness) return false;
  std::swap(a->witness, b->witness);
  std::swap(a->said, b->said);
  std::swap(a->order, b->order);
  return true;
}

bool drop_an_acknowledged_entry(recorded_history& h, id_source& random) {
  const auto* op = pick(h.operations, random, is_first_ok_write);
  if (op == nullptr) return false;
  forget_entry(h, shard_of(h, op->sku), op->witness.index);
  return true;
}

bool drop_an_entry_and_leave_a_gap(recorded_history& h, id_source& random) {
  auto* r = pick(h.replicas, random, [](const replica_dump& d) { return d.commit >= 2; });
  if (r == nullptr) return false;
  r->entries.erase(r->entries.begin() + static_cast<std::ptrdiff_t>(random.next() % r->commit));
  return true;
}

/// A reserve once more at the end of the log, with everything that belongs to it: only the id tells. `as`:
/// the command's own id when it is 0/0.
bool append_reserve(recorded_history& h, id_source& random, command_id as, const operation* like = nullptr) {
  const auto* op = pick(h.operations, random, [&](const operation& o) {
    return is_first_ok_write(o) && (like == nullptr || (o.sku == like->sku && o.quantity == like->quantity));
  });
  if (op == nullptr) return false;
  const auto setup =
      *std::find_if(h.skus.begin(), h.skus.end(), [&](const auto& s) { return s.sku == op->sku; });
  for (auto& r : h.replicas) {
    if (r.shard != setup.shard || r.applied == 0) continue;
    auto& rows = *std::find_if(r.skus.begin(), r.skus.end(), [&](const auto& s) { return s.sku == op->sku; });
    if (rows.counts.available < op->quantity) return false;
    auto again = r.entries.at(op->witness.index - 1);
    again.at = {r.entries.back().at.epoch, r.commit + 1};
    again.order += 500;
    if (as != command_id{}) again.command = as;
    rows.counts.available -= op->quantity;
    (setup.holds ? rows.counts.reserved : rows.counts.sold) += op->quantity;
    again.after = rows.counts;
    r.orders.push_back(
        {op->sku, again.order, op->quantity, setup.holds ? order_status::reserved : order_status::confirmed});
    r.entries.push_back(again);
    r.applied = ++r.commit;
  }
  return true;
}

bool do_a_command_twice(recorded_history& h, id_source& random) { return append_reserve(h, random, {}); }

/// The refusal was true when it was told.
bool do_what_was_refused(recorded_history& h, id_source& random) {
  const auto is_refused_once = [&](const operation& o) {
    return o.kind == op_kind::reserve && o.outcome == outcome::rejected && !o.is_replay &&
           std::count_if(h.operations.begin(), h.operations.end(),
                         [&](const auto& other) { return other.command == o.command; }) == 1;
  };
  const auto* op = pick(h.operations, random, is_refused_once);
  return op != nullptr && append_reserve(h, random, op->command, op);
}

bool delay_a_read(recorded_history& h, id_source& random) {
  auto* read = pick(h.operations, random,
                    [](const operation& op) { return op.kind == op_kind::read && is_answered(op); });
  if (read == nullptr) return false;
  const auto* write = pick(h.operations, random, [&](const operation& op) {
    return is_first_ok_write(op) && shard_of(h, op.sku) == shard_of(h, read->sku) &&
           op.witness.index > read->witness.index;
  });
  if (write == nullptr) return false;
  read->invoked_ns = write->returned_ns + 1;
  read->returned_ns = read->invoked_ns + 1;
  return true;
}

bool answer_from_the_future(recorded_history& h, id_source& random) {
  auto* op =
      pick(h.operations, random, [](const operation& o) { return is_first_ok_write(o) && o.invoked_ns > 0; });
  if (op == nullptr) return false;
  const auto* before = pick(h.operations, random, [&](const operation& o) {
    return is_first_ok_write(o) && shard_of(h, o.sku) == shard_of(h, op->sku) &&
           o.witness.index < op->witness.index;
  });
  if (before == nullptr || before->invoked_ns < 2) return false;
  // It was answered before the one that is ahead of it in the log was asked.
  op->returned_ns = before->invoked_ns - 1;
  op->invoked_ns = op->returned_ns - 1;
  const auto repeats = std::count_if(h.operations.begin(), h.operations.end(),
                                     [&](const operation& o) { return o.command == before->command; });
  return repeats == 1;
}

bool forge_remaining(recorded_history& h, id_source& random) {
  auto* op = pick(h.operations, random, [](const operation& o) { return o.said.available != not_said; });
  if (op == nullptr) return false;
  op->said.available += random.next() % 2 == 0 ? 1 : -1;
  return true;
}

bool swap_two_entries(recorded_history& h, id_source& random) {
  const auto* op = pick(h.operations, random,
                        [](const operation& o) { return is_first_ok_write(o) && o.witness.index > 1; });
  if (op == nullptr) return false;
  const auto index = op->witness.index;
  for (auto& r : h.replicas) {
    if (r.shard != shard_of(h, op->sku) || r.entries.size() < index) continue;
    std::swap(r.entries[index - 1], r.entries[index - 2]);
    std::swap(r.entries[index - 1].at, r.entries[index - 2].at);
  }
  return true;
}

bool let_a_replica_differ(recorded_history& h, id_source& random) {
  auto* r = pick(h.replicas, random, [&](const replica_dump& d) {
    const auto has_peer = [&](const replica_dump& o) {
      return o.shard == d.shard && o.node != d.node && o.commit > 0;
    };
    return d.commit > 0 && std::any_of(h.replicas.begin(), h.replicas.end(), has_peer);
  });
  if (r == nullptr) return false;
  std::uint64_t shared = r->commit;
  for (const auto& other : h.replicas)
    if (other.shard == r->shard && other.node != r->node) shared = std::min(shared, other.commit);
  ++r->entries[random.next() % shared].quantity;
  return true;
}

bool cut_a_log(recorded_history& h, id_source& random) {
  auto* r = pick(h.replicas, random, [](const replica_dump& d) { return d.commit > 0; });
  if (r == nullptr) return false;
  r->entries.resize(random.next() % r->commit);
  return true;
}

bool go_back_an_epoch(recorded_history& h, id_source& random) {
  auto* r = pick(h.replicas, random, [](const replica_dump& d) { return d.commit > 1; });
  if (r == nullptr) return false;
  r->entries[0].at.epoch = r->entries[1].at.epoch + 1;
  return true;
}

bool log_what_nobody_asked(recorded_history& h, id_source& random) {
  return append_reserve(h, random, {999, 1});
}

bool log_it_for_somebody_else(recorded_history& h, id_source& random) {
  const auto* op = pick(h.operations, random, is_first_ok_write);
  if (op == nullptr) return false;
  for (auto& r : h.replicas)
    if (r.shard == shard_of(h, op->sku) && r.entries.size() >= op->witness.index)
      r.entries[op->witness.index - 1].command.client = 999;
  return true;
}

bool refuse_what_was_done(recorded_history& h, id_source& random) {
  auto* op = pick(h.operations, random, is_first_ok_write);
  if (op == nullptr) return false;
  op->outcome = outcome::rejected;
  op->why = reason::sold_out;
  op->order = 0;
  return true;
}

bool acknowledge_what_was_not_done(recorded_history& h, id_source& random) {
  auto* op = pick(h.operations, random, [](const operation& o) {
    return o.kind == op_kind::reserve && o.outcome == outcome::rejected;
  });
  if (op == nullptr) return false;
  op->outcome = outcome::ok;
  op->why = reason::none;
  op->order = 777;
  return true;
}

bool forge_a_status(recorded_history& h, id_source& random) {
  auto* r = full_replica(h, random);
  if (r == nullptr) return false;
  auto& order = r->orders[random.next() % r->orders.size()];
  order.status = order.status == order_status::confirmed ? order_status::cancelled : order_status::confirmed;
  return true;
}

bool lose_an_order_row(recorded_history& h, id_source& random) {
  auto* r = full_replica(h, random);
  if (r == nullptr) return false;
  r->orders.erase(r->orders.begin() + static_cast<std::ptrdiff_t>(random.next() % r->orders.size()));
  return true;
}

bool keep_an_order_twice(recorded_history& h, id_source& random) {
  auto* r = full_replica(h, random);
  if (r == nullptr || r->orders.size() < 2) return false;
  r->orders[0] = r->orders[1];
  return true;
}

bool keep_units_twice_for_others(recorded_history& h, id_source& random) {
  auto* r =
      pick(h.replicas, random, [](const replica_dump& d) { return d.applied > 0 && d.skus.size() > 1; });
  if (r == nullptr) return false;
  r->skus[0] = r->skus[1];
  return true;
}

bool read_in_an_epoch_that_never_was(recorded_history& h, id_source& random) {
  auto* op = pick(h.operations, random, [&](const operation& o) {
    return o.kind == op_kind::read && o.outcome == outcome::ok && o.witness.index > 0;
  });
  if (op == nullptr) return false;
  op->witness.epoch = 9999;
  return true;
}

bool forge_final_units(recorded_history& h, id_source& random) {
  auto* r = pick(h.replicas, random, [](const replica_dump& d) { return !d.skus.empty(); });
  if (r == nullptr) return false;
  auto& rows = r->skus[random.next() % r->skus.size()];
  ++rows.counts.available;
  ++rows.restocked;
  return true;
}

bool end_with_other_bytes(recorded_history& h, id_source& random) {
  auto* r = pick(h.replicas, random, [&](const replica_dump& d) {
    const auto is_equal = [&](const replica_dump& o) {
      return o.shard == d.shard && o.node != d.node && o.applied == d.applied;
    };
    return std::any_of(h.replicas.begin(), h.replicas.end(), is_equal);
  });
  if (r == nullptr) return false;
  ++r->digest;
  return true;
}

bool write_unbalanced_rows(recorded_history& h, id_source& random) {
  const auto* op = pick(h.operations, random, is_first_ok_write);
  if (op == nullptr) return false;
  for (auto& r : h.replicas)
    if (r.shard == shard_of(h, op->sku) && r.entries.size() >= op->witness.index)
      ++r.entries[op->witness.index - 1].after.available;
  return true;
}

bool forge_a_replay(recorded_history& h, id_source& random) {
  auto* op = pick(h.operations, random, [](const operation& o) {
    return o.is_replay && o.outcome == outcome::ok && o.said.available != not_said;
  });
  if (op == nullptr) return false;
  ++op->said.available;
  return true;
}

/// One entry more at the end of the log, with the rows that it leads to, and no command of anybody's.
bool log_what_has_no_name(recorded_history& h, id_source& random, op_kind kind) {
  const auto* op = pick(h.operations, random, is_first_ok_write);
  if (op == nullptr) return false;
  bool has_struck = false;
  for (auto& r : h.replicas) {
    if (r.shard != shard_of(h, op->sku) || r.applied == 0) continue;
    const auto rows =
        std::find_if(r.skus.begin(), r.skus.end(), [&](const sku_rows& s) { return s.sku == op->sku; });
    auto entry = r.entries.at(op->witness.index - 1);
    entry.at = {r.entries.back().at.epoch, r.commit + 1};
    entry.command = {};
    entry.kind = kind;
    if (kind == op_kind::restock) {
      entry.order = 0;
      entry.quantity = 1'000'000;
      rows->counts.available += entry.quantity;
      rows->restocked += entry.quantity;
    } else {
      const auto order = std::find_if(r.orders.begin(), r.orders.end(), [&](const order_row& o) {
        return o.sku == op->sku && o.order == op->order;
      });
      const bool is_open = order != r.orders.end() && (order->status == order_status::reserved ||
                                                       order->status == order_status::confirmed);
      if (!is_open) return false;
      (order->status == order_status::reserved ? rows->counts.reserved : rows->counts.sold) -=
          order->quantity;
      rows->counts.available += order->quantity;
      order->status = order_status::cancelled;
    }
    entry.after = rows->counts;
    r.entries.push_back(entry);
    r.applied = ++r.commit;
    has_struck = true;
  }
  return has_struck;
}

bool restock_for_nobody(recorded_history& h, id_source& random) {
  return log_what_has_no_name(h, random, op_kind::restock);
}

bool cancel_for_nobody(recorded_history& h, id_source& random) {
  return log_what_has_no_name(h, random, op_kind::cancel);
}

operation* any_replay(recorded_history& h, id_source& random) {
  return pick(h.operations, random,
              [](const operation& o) { return o.is_replay && o.outcome == outcome::ok; });
}

bool replay_what_is_beyond_the_log(recorded_history& h, id_source& random) {
  auto* op = any_replay(h, random);
  if (op == nullptr) return false;
  op->witness.index += 1'000'000;
  return true;
}

bool replay_in_an_epoch_that_never_was(recorded_history& h, id_source& random) {
  auto* op = any_replay(h, random);
  if (op == nullptr) return false;
  op->witness.epoch = 9999;
  return true;
}

bool sell_the_same_order_to_another(recorded_history& h, id_source& random) {
  auto* a = pick(h.operations, random, is_first_ok_write);
  auto* b = pick(h.operations, random, [&](const operation& op) {
    return is_first_ok_write(op) && a != nullptr && op.sku == a->sku && op.order != a->order;
  });
  if (a == nullptr || b == nullptr) return false;
  a->order = b->order;
  return true;
}

std::int64_t nudge(id_source& random) { return static_cast<std::int64_t>(random.next() % 601) - 300; }

}  // namespace

const std::vector<corruption>& corruptions() {
  static const std::vector<corruption> all{
      {"swap two replies", swap_two_replies},
      {"drop an acknowledged entry", drop_an_acknowledged_entry},
      {"drop an entry and leave a gap", drop_an_entry_and_leave_a_gap},
      {"do a command twice", do_a_command_twice},
      {"delay a read", delay_a_read},
      {"answer from the future", answer_from_the_future},
      {"forge remaining", forge_remaining},
      {"swap two entries", swap_two_entries},
      {"let a replica differ", let_a_replica_differ},
      {"cut a log", cut_a_log},
      {"go back an epoch", go_back_an_epoch},
      {"log what nobody asked", log_what_nobody_asked},
      {"log it for somebody else", log_it_for_somebody_else},
      {"refuse what was done", refuse_what_was_done},
      {"do what was refused", do_what_was_refused},
      {"acknowledge what was not done", acknowledge_what_was_not_done},
      {"forge a status", forge_a_status},
      {"lose an order row", lose_an_order_row},
      {"keep an order twice", keep_an_order_twice},
      {"keep units twice for others", keep_units_twice_for_others},
      {"read in an epoch that never was", read_in_an_epoch_that_never_was},
      {"forge final units", forge_final_units},
      {"end with other bytes", end_with_other_bytes},
      {"write unbalanced rows", write_unbalanced_rows},
      {"forge a replay", forge_a_replay},
      {"restock for nobody", restock_for_nobody},
      {"cancel for nobody", cancel_for_nobody},
      {"replay what is beyond the log", replay_what_is_beyond_the_log},
      {"replay in an epoch that never was", replay_in_an_epoch_that_never_was},
      {"sell the same order to another", sell_the_same_order_to_another},
  };
  return all;
}

void damage_anything(recorded_history& h, id_source& random) {
  auto& op = h.operations[random.next() % h.operations.size()];
  switch (random.next() % 9) {
    case 0:
      op.invoked_ns += nudge(random);
      if (op.returned_ns != never) op.returned_ns = std::max(op.returned_ns, op.invoked_ns + 1);
      break;
    case 1:
      if (op.returned_ns != never)
        op.returned_ns = std::max(op.returned_ns + nudge(random), op.invoked_ns + 1);
      break;
    case 2:
      if (op.said.available != not_said) op.said.available += nudge(random) % 3;
      break;
    case 3:
      op.witness.index = random.next() % 8;
      break;
    case 4:
      swap_two_replies(h, random);
      break;
    case 5:
      if (is_answered(op) && op.kind != op_kind::reserve) {
        op.outcome = op.outcome == outcome::ok ? outcome::rejected : outcome::ok;
        op.why = op.outcome == outcome::ok ? reason::none : reason::order_closed;
      }
      break;
    case 6:
      swap_two_entries(h, random);
      break;
    case 7:
      op.outcome = outcome::unknown;
      op.returned_ns = never;
      op.said = {};
      break;
    default:
      delay_a_read(h, random);
      break;
  }
}

}  // namespace troupe::test
