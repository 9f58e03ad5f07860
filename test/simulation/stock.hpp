#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace troupe::simulation {

constexpr std::size_t sku_count = 3;
constexpr std::size_t client_max = 8;
constexpr std::int32_t initial_stock = 60;

enum class operation : std::uint8_t { none, reserve, confirm, cancel, restock, read };

/// What a client wants. {client, number} is its command id.
struct command {
  std::uint32_t number = 0;
  std::uint32_t order = 0;  // confirm, cancel: the number of the reserve
  std::int32_t quantity = 0;
  std::uint16_t client = 0;
  std::uint8_t sku = 0;
  operation what = operation::none;
};

enum class outcome : std::int32_t { done, sold_out, no_such_order, not_open, stale };

struct reply {
  std::int32_t available = 0;
  std::int32_t reserved = 0;
  std::int32_t sold = 0;
  outcome what = outcome::done;
  friend bool operator==(const reply&, const reply&) = default;
};

struct sku_row {
  std::int32_t available = initial_stock;
  std::int32_t reserved = 0;
  std::int32_t sold = 0;
  std::int32_t restocked = 0;
  friend bool operator==(const sku_row&, const sku_row&) = default;
};

enum class order_status : std::uint16_t { reserved = 1, confirmed, cancelled };

struct order_row {
  std::uint32_t number = 0;
  std::int32_t quantity = 0;
  std::uint16_t sku = 0;
  order_status status = order_status::reserved;
  friend bool operator==(const order_row&, const order_row&) = default;
};

/// A log entry: physical, the rows that changed, and the reply under its command id. Without a command: a
/// barrier. Copied to and from chunks as bytes.
struct stock_entry {
  command by;
  sku_row sku;
  std::uint32_t order_number = 0;
  std::int32_t order_quantity = 0;
  std::uint32_t order_status_is = 0;  // 0: no order changed
  reply answer;
};
static_assert(std::has_unique_object_representations_v<stock_entry>);

/// The stock of one shard. Executing decides and makes an entry; applying sets
/// rows and decides nothing.
class stock {
 public:
  struct remembered {
    std::uint32_t number = 0;
    reply answer;
  };

  /// The reply, and the entry unless nothing changes.
  reply execute(const command& what, std::optional<stock_entry>& entry) const;
  void apply(const stock_entry& entry);
  /// The newest command of that client that made an entry.
  const remembered& last_of(std::uint16_t client) const { return replies_[client]; }
  /// Units are conserved, and none is negative.
  bool is_balanced() const;
  std::uint64_t hash() const { return hash_; }
  /// Of one row and its orders: what answers about it depend on.
  std::uint64_t hash_of_sku(std::size_t sku) const { return sku_hashes_[sku]; }
  void forget_replies() { replies_ = {}; }

  std::string encode() const;
  static std::optional<stock> decode(std::string_view bytes);

 private:
  const order_row* find_order(std::uint16_t client, std::uint32_t number) const;

  std::array<sku_row, sku_count> skus_;
  std::array<std::vector<order_row>, client_max> orders_;
  std::array<remembered, client_max> replies_{};
  std::uint64_t hash_ = 0;  // of all rows, order does not matter
  std::array<std::uint64_t, sku_count> sku_hashes_{};
};

void append_entry(std::string& out, const stock_entry& entry);
stock_entry entry_in(std::string_view bytes, std::size_t position);

}  // namespace troupe::simulation
