#include "test/simulation/client.hpp"

#include <algorithm>

#include "test/simulation/simulation.hpp"

namespace troupe::simulation {

client::client(simulation& world, std::uint16_t number, std::uint64_t seed)
    : world_(world),
      number_(number),
      random_(seed, 200U + number),
      targets_(world.drawn.shards, 0),
      seen_(world.drawn.shards) {}

void client::choose() {
  shard_ = static_cast<shard_id>(random_.below(world_.drawn.shards));
  current_ = command{};
  current_.client = number_;
  current_.number = next_number_++;
  current_.sku = static_cast<std::uint8_t>(random_.chance(0.6) ? 0 : random_.below(sku_count));
  current_.quantity = static_cast<std::int32_t>(random_.between(1, 4));
  if (random_.chance(world_.drawn.read_share)) {
    current_.what = operation::read;
    return;
  }
  if (!orders_.empty() && random_.chance(0.45)) {
    const auto& order = orders_[random_.below(orders_.size())];
    shard_ = order.shard;
    current_.order = order.number;
    current_.sku = order.sku;
    current_.what = random_.chance(0.4) ? operation::confirm : operation::cancel;
  } else {
    current_.what = random_.chance(0.1) ? operation::restock : operation::reserve;
  }
}

void client::act(std::uint64_t attempt) {
  if (attempt != attempt_) return;
  if (!is_busy_) {
    if (world_.now_ > world_.drawn.end_at - 2 * second) return;
    if (!is_repeat_ && next_number_ > world_.options.operations_max) return;
    if (!is_repeat_) choose();
    is_busy_ = true;
  } else if (is_waiting_) {
    targets_[shard_] = static_cast<std::uint8_t>(random_.below(world_.nodes.size()));
  }
  send();
}

void client::send() {
  ++attempt_;
  is_waiting_ = true;
  world_.ask(*this, targets_[shard_], {number_, current_, attempt_}, shard_);
  world_.time.add(
      {world_.now_ + random_.between(150, 500) * millisecond, 0, happening::client, 0, 0, number_, attempt_});
}

void client::rest() {
  is_busy_ = false;
  ++attempt_;
  world_.time.add({world_.now_ + random_.between(0, world_.drawn.think_max), 0, happening::client, 0, 0,
                   number_, attempt_});
}

void client::on_answer(std::uint64_t attempt, verdict how, const reply& what, std::uint64_t index) {
  if (!is_busy_) return;
  // A rejection is not kept under its command id: one of an attempt before the answer may still be on its
  // way.
  if (is_repeat_ && attempt <= repeats_since_) return;
  switch (how) {
    case verdict::rejected_here:
    case verdict::storage_full:
    case verdict::unknown:
      if (attempt != attempt_) return;
      targets_[shard_] = how == verdict::rejected_here && index > 0 && random_.chance(0.8)
                             ? static_cast<std::uint8_t>(index - 1)
                             : static_cast<std::uint8_t>(random_.below(world_.nodes.size()));
      is_waiting_ = false;
      ++attempt_;  // the same command, after a moment
      world_.time.add({world_.now_ + random_.between(5, 60) * millisecond, 0, happening::client, 0, 0,
                       number_, attempt_});
      return;
    case verdict::failed:
      return rest();
    case verdict::answered:
      break;
  }
  // I14: what one client sees never goes back. An answer of an attempt that was given up may be older.
  auto& seen = seen_[shard_][current_.sku];
  if (attempt == attempt_ && current_.what == operation::read && index < seen)
    world_.truth.fail("I14", "client " + std::to_string(number_) + " saw " + std::to_string(seen) +
                                 " and then " + std::to_string(index));
  seen = std::max(seen, index);
  const bool makes_entry = current_.what != operation::read && what.what == outcome::done;
  if (is_repeat_) {
    if (!(what == first_answer_))
      world_.truth.fail("C4", "client " + std::to_string(number_) + ": two replies to one command");
    is_repeat_ = false;
  } else if (makes_entry) {
    if (current_.what == operation::reserve) orders_.push_back({shard_, current_.number, current_.sku});
    if (current_.what == operation::confirm || current_.what == operation::cancel)
      std::erase_if(orders_, [&](const open_order& o) { return o.number == current_.order; });
    is_repeat_ = random_.chance(world_.drawn.repeat_share);
    first_answer_ = what;
    repeats_since_ = attempt_;
  }
  rest();
}

}  // namespace troupe::simulation
