#include "test/simulation/stock.hpp"

#include <algorithm>
#include <cstring>

#include "test/simulation/random.hpp"

namespace troupe::simulation {
namespace {

std::uint64_t pair_of(std::int32_t a, std::int32_t b) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(a)) << 32U) | static_cast<std::uint32_t>(b);
}

std::uint64_t hash_of(std::size_t sku, const sku_row& row) {
  return mix(mix(sku + 1, pair_of(row.available, row.reserved)), pair_of(row.sold, row.restocked));
}

std::uint64_t hash_of(std::uint16_t client, const order_row& row) {
  const auto key = (static_cast<std::uint64_t>(client) << 32U) | row.number;
  return mix(mix(1000 + key, static_cast<std::uint64_t>(row.quantity)),
             static_cast<std::uint64_t>(row.sku) * 8 + static_cast<std::uint64_t>(row.status));
}

std::uint64_t hash_of(std::uint16_t client, const stock::remembered& row) {
  return mix(mix(77 + client, row.number), mix(pair_of(row.answer.available, row.answer.reserved),
                                               static_cast<std::uint64_t>(row.answer.sold)));
}

reply reply_of(const sku_row& row, outcome what) { return {row.available, row.reserved, row.sold, what}; }

}  // namespace

const order_row* stock::find_order(std::uint16_t client, std::uint32_t number) const {
  const auto& of = orders_[client];
  const auto at = std::lower_bound(of.begin(), of.end(), number,
                                   [](const order_row& row, std::uint32_t n) { return row.number < n; });
  return at != of.end() && at->number == number ? &*at : nullptr;
}

reply stock::execute(const command& what, std::optional<stock_entry>& entry) const {
  sku_row row = skus_[what.sku];
  stock_entry made;
  made.by = what;
  switch (what.what) {
    case operation::reserve:
      if (row.available < what.quantity) return reply_of(row, outcome::sold_out);
      row.available -= what.quantity;
      row.reserved += what.quantity;
      made.order_number = what.number;
      made.order_quantity = what.quantity;
      made.order_status_is = static_cast<std::uint32_t>(order_status::reserved);
      break;
    case operation::confirm:
    case operation::cancel: {
      const auto* order = find_order(what.client, what.order);
      if (order == nullptr) return reply_of(row, outcome::no_such_order);
      if (order->status != order_status::reserved) return reply_of(row, outcome::not_open);
      const bool confirms = what.what == operation::confirm;
      row.reserved -= order->quantity;
      (confirms ? row.sold : row.available) += order->quantity;
      made.order_number = order->number;
      made.order_quantity = order->quantity;
      made.order_status_is =
          static_cast<std::uint32_t>(confirms ? order_status::confirmed : order_status::cancelled);
      break;
    }
    case operation::restock:
      row.available += what.quantity;
      row.restocked += what.quantity;
      break;
    case operation::read:
    case operation::none:
      return reply_of(row, outcome::done);
  }
  made.sku = row;
  made.answer = reply_of(row, outcome::done);
  entry = made;
  return made.answer;
}

void stock::apply(const stock_entry& entry) {
  const auto& by = entry.by;
  if (by.what == operation::none || by.client >= client_max || by.sku >= sku_count) return;
  auto& row = skus_[by.sku];
  const auto change = [&](std::uint64_t by_how_much) {
    hash_ += by_how_much;
    sku_hashes_[by.sku] += by_how_much;
  };
  change(hash_of(by.sku, entry.sku) - hash_of(by.sku, row));
  row = entry.sku;
  auto& known = replies_[by.client];
  const remembered now{by.number, entry.answer};
  hash_ += hash_of(by.client, now) - hash_of(by.client, known);
  known = now;
  if (entry.order_status_is == 0) return;
  auto& of = orders_[by.client];
  const order_row order{entry.order_number, entry.order_quantity, by.sku,
                        static_cast<order_status>(entry.order_status_is)};
  const auto at = std::lower_bound(of.begin(), of.end(), order.number,
                                   [](const order_row& r, std::uint32_t n) { return r.number < n; });
  change(hash_of(by.client, order));
  if (at != of.end() && at->number == order.number) {
    change(0 - hash_of(by.client, *at));
    *at = order;
  } else {
    of.insert(at, order);
  }
}

bool stock::is_balanced() const {
  return std::all_of(skus_.begin(), skus_.end(), [](const sku_row& row) {
    return row.available >= 0 && row.reserved >= 0 && row.sold >= 0 &&
           row.available + row.reserved + row.sold == initial_stock + row.restocked;
  });
}

std::string stock::encode() const {
  std::string out;
  const auto put = [&](const auto& value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  };
  for (const auto& row : skus_) put(row);
  for (const auto& known : replies_) put(known);
  put(hash_);
  put(sku_hashes_);
  for (const auto& of : orders_) {
    put(of.size());
    for (const auto& order : of) put(order);
  }
  return out;
}

std::optional<stock> stock::decode(std::string_view bytes) {
  stock out;
  const auto take = [&](auto& value) {
    if (bytes.size() < sizeof value) return false;
    std::memcpy(static_cast<void*>(&value), bytes.data(), sizeof value);
    bytes.remove_prefix(sizeof value);
    return true;
  };
  for (auto& row : out.skus_)
    if (!take(row)) return std::nullopt;
  for (auto& known : out.replies_)
    if (!take(known)) return std::nullopt;
  if (!take(out.hash_) || !take(out.sku_hashes_)) return std::nullopt;
  for (auto& of : out.orders_) {
    std::size_t count = 0;
    if (!take(count) || count > bytes.size()) return std::nullopt;
    of.resize(count);
    for (auto& order : of)
      if (!take(order)) return std::nullopt;
  }
  return bytes.empty() ? std::optional(std::move(out)) : std::nullopt;
}

void append_entry(std::string& out, const stock_entry& entry) {
  out.append(reinterpret_cast<const char*>(&entry), sizeof entry);
}

stock_entry entry_in(std::string_view bytes, std::size_t position) {
  stock_entry entry;
  std::memcpy(&entry, bytes.data() + position * sizeof entry, sizeof entry);
  return entry;
}

}  // namespace troupe::simulation
