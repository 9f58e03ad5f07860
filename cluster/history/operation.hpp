#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

/// What clients saw of stock, and what replicas logged of it: the vocabulary of recorder, dump and checker.
namespace troupe::history {

enum class op_kind : std::uint8_t {
  reserve = 1,
  confirm,
  cancel,
  restock,
  read,
  expire,  // only in logs: a hold's timer
  other,   // only in logs: an entry that changes no stock (barrier, delivery, housekeeping)
};

enum class outcome : std::uint8_t { ok = 1, rejected, unknown };

enum class reason : std::uint8_t {
  none = 0,
  sold_out,
  no_such_order,
  order_closed,
  hold_expired,
  bad_quantity,
  order_exists,  // never a legal reply: an order's name was used twice
};

enum class order_status : std::uint8_t { reserved = 1, confirmed, cancelled, expired };

/// The name of a command, for all its attempts. A client never has two commands of one number.
struct command_id {
  std::uint64_t client = 0;
  std::uint64_t number = 0;
  friend auto operator<=>(const command_id&, const command_id&) = default;
};

/// The place of an entry in its shard's log.
struct place {
  std::uint64_t epoch = 0;
  std::uint64_t index = 0;
  friend auto operator<=>(const place&, const place&) = default;
};

inline constexpr std::int64_t not_said = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

/// Units of one SKU. In a reply each of them may be not_said.
struct stock_counts {
  std::int64_t available = not_said;
  std::int64_t reserved = not_said;
  std::int64_t sold = not_said;
  friend auto operator<=>(const stock_counts&, const stock_counts&) = default;
};

/// One attempt of one client: what it asked, when, and what it was told.
struct operation {
  command_id command;
  op_kind kind = op_kind::read;
  history::outcome outcome = history::outcome::unknown;
  reason why = reason::none;
  bool is_replay = false;  // the reply says that it repeats a stored one
  std::uint32_t sku = 0;
  std::uint64_t order = 0;  // what is confirmed or cancelled; of a reserve what the reply names. 0: not known
  std::int64_t quantity = 0;
  std::int64_t invoked_ns = 0;  // one monotonic clock for all clients
  std::int64_t returned_ns = never;
  place witness;  // ok that changed something: the place of its entry. Else: the last entry that it reflects
  stock_counts said;
};

/// One committed entry, as far as stock is concerned: the command, and the SKU's units in the rows it wrote.
struct log_entry {
  place at;
  command_id command;  // 0/0: no client's
  op_kind kind = op_kind::other;
  std::uint32_t sku = 0;
  std::uint64_t order = 0;
  std::int64_t quantity = 0;
  stock_counts after;
  friend auto operator<=>(const log_entry&, const log_entry&) = default;
};

/// A SKU as the workload has set it up, before the first operation.
struct sku_setup {
  std::uint32_t sku = 0;
  std::uint32_t shard = 0;
  std::int64_t initial = 0;
  bool holds = true;  // a reserve reserves; false: it sells at once
};

/// A replica's rows at the end of the run.
struct sku_rows {
  std::uint32_t sku = 0;
  std::int64_t initial = 0;
  std::int64_t restocked = 0;
  stock_counts counts;
};
struct order_row {
  std::uint32_t sku = 0;
  std::uint64_t order = 0;
  std::int64_t quantity = 0;
  order_status status = order_status::reserved;
};

/// What one replica of one shard had on disk when it was stopped.
struct replica_dump {
  std::uint32_t node = 0;
  std::uint32_t shard = 0;
  std::uint64_t commit = 0;   // entries up to here are committed; others do not count
  std::uint64_t applied = 0;  // the rows are those of this index
  std::uint64_t digest = 0;   // of all rows, byte by byte
  std::vector<log_entry> entries{};
  std::vector<sku_rows> skus{};
  std::vector<order_row> orders{};
};

struct recorded_history {
  std::vector<sku_setup> skus;
  std::vector<operation> operations;
  std::vector<replica_dump> replicas;  // none: only what clients saw can be checked
};

std::string_view to_string(op_kind kind);
std::string_view to_string(reason why);
std::string_view to_string(order_status status);
/// One line that names the operation and its reply, for a report.
std::string to_string(const operation& op);
std::string to_string(const log_entry& entry);

}  // namespace troupe::history
