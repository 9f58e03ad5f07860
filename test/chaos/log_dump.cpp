#include "test/chaos/log_dump.hpp"

#include <fmt/format.h>

#include "actors/sku/sku.hpp"
#include "runtime/journal/journal.hpp"
#include "runtime/store/directory.hpp"

namespace troupe::chaos {

using history::log_entry;
using history::op_kind;

namespace {

constexpr std::size_t read_bytes_max = 4U << 20U;

class no_listener final : public journal_listener {
  void on_synced(shard_id, std::uint64_t) override {}
  void on_applied(shard_id, std::uint64_t) override {}
};

op_kind kind_of(const entry_head& head) {
  const auto number = static_cast<std::uint8_t>(head.message);
  if (number == 2) return op_kind::restock;
  if (number == 3) return op_kind::reserve;
  if (number == 4) return op_kind::confirm;
  if (number == 5) return op_kind::cancel;
  return number == 6 ? op_kind::expire : op_kind::other;
}

history::order_status status_of(sku::order_status from) {
  return static_cast<history::order_status>(static_cast<std::uint8_t>(from));
}

/// Behind the format and the version of a state row.
std::pair<std::uint64_t, sku::state> read_state(std::string_view row) {
  byte_reader in{row};
  in.u8();
  const auto version = in.varint();
  sku::state state;
  if (!decode(in.rest(), state)) throw std::runtime_error{"a SKU's state does not decode"};
  return {version, std::move(state)};
}

history::stock_counts counts_of(const sku::state& s) { return {s.available, s.reserved, s.sold}; }

std::uint64_t arrival_of(std::string_view key) { return byte_reader{key}.u64_be(); }

/// Follows one SKU through its shard's log.
class sku_log {
 public:
  sku_log(std::string name, std::uint32_t sku, const std::map<std::string, history::command_id>& commands)
      : name_(std::move(name)), sku_(sku), commands_(commands) {}

  void take(const entry_view& entry, std::uint64_t epoch) {
    if (entry.head.kind != sku::kind::options.id || entry.head.key != name_) return;
    log_entry out;
    out.sku = sku_;
    out.kind = kind_of(entry.head);
    out.at.epoch = epoch;
    bool is_changed = false;
    std::int64_t restocked = restocked_;
    for (const auto& row : entry.rows) {
      if (row.table == table_no{0}) {
        const auto [version, state] = read_state(row.value);
        out.at.index = version;
        out.after = counts_of(state);
        restocked = state.restocked;
        is_changed = true;
      } else if (row.table == table_no{1}) {
        const auto order = decode_row<sku::order>(row.value);
        out.order = arrival_of(row.key);
        out.quantity = order.quantity;
      }
    }
    if (!is_changed) return;
    if (out.kind == op_kind::restock) out.quantity = restocked - restocked_;
    restocked_ = restocked;
    if (entry.head.cause == entry_cause::command) {
      const auto known = commands_.find(std::string{entry.head.command_id});
      // What defines the shop has no name; anything else must be some client's.
      out.command = known != commands_.end()     ? known->second
                    : out.kind == op_kind::other ? history::command_id{}
                                                 : history::command_id{99'999, out.at.index};
    }
    entries.push_back(out);
  }

  std::vector<log_entry> entries;

 private:
  const std::string name_;
  const std::uint32_t sku_;
  const std::map<std::string, history::command_id>& commands_;
  std::int64_t restocked_ = 0;
};

void read_log(const journal& log, shard_id shard, std::uint64_t last, sku_log& sku) {
  entry_view entry;
  for (std::uint64_t next = 1; next <= last;) {
    const auto extracts = log.read(shard, next, last, read_bytes_max);
    if (extracts.empty())
      throw std::runtime_error{fmt::format("entry {} of shard {} cannot be read", next, shard)};
    for (const auto& extract : extracts) {
      chunk_view chunk;
      if (!decode_chunk(shard, extract.first_index, *extract.bytes, chunk))
        throw std::runtime_error{"a chunk of the log is damaged"};
      for (const auto bytes : chunk.entries) {
        entry = {};
        if (!decode_entry(bytes, entry)) throw std::runtime_error{"an entry of the log does not decode"};
        sku.take(entry, chunk.epoch);
      }
      next = extract.last_index + 1;
    }
  }
}

/// The SKU's rows, and their sum.
std::uint64_t read_rows(const store& from, shard_id shard, const entity_ref& entity,
                        history::replica_dump& out, std::uint32_t sku) {
  const auto rows = from.rows_of(shard, entity);
  std::uint64_t digest = 0;
  for (std::uint8_t table = 0; table < 3; ++table)
    rows->scan(table_no{table}, {}, scan_order::ascending, [&](std::string_view key, std::string_view value) {
      digest = stable_hash(value, stable_hash(key, digest + table));
      if (table == 0) {
        const auto [version, state] = read_state(value);
        out.applied = out.commit = version;
        out.skus.push_back({sku, state.initial, state.restocked, counts_of(state)});
      } else if (table == 1) {
        const auto order = decode_row<sku::order>(value);
        out.orders.push_back({sku, arrival_of(key), order.quantity, status_of(order.status)});
      }
      return true;
    });
  return digest;
}

void dump(const std::string& directory, std::uint32_t node, const shop& of,
          const std::map<std::string, history::command_id>& commands, node_dump& out) {
  store_options how;
  how.directory = directory;
  how.shard_count = shard_count_of(directory);
  auto opened = store::open(how);
  if (const auto* fault = std::get_if<store_error>(&opened)) throw std::runtime_error{fault->message};
  const auto& stored = *std::get<std::unique_ptr<store>>(opened);
  no_listener nobody;
  journal log{*std::get<std::unique_ptr<store>>(opened), nobody, {}, directory};
  const auto recovered = log.recover();
  if (const auto* fault = std::get_if<store_error>(&recovered)) throw std::runtime_error{fault->message};
  const auto& shards = std::get<std::vector<recovered_shard>>(recovered);
  for (std::uint32_t sku = 0; sku < of.names.size(); ++sku) {
    const entity_ref entity{sku::kind::options.id, of.names[sku]};
    const auto shard = shard_of(entity, stored.shard_count());
    history::replica_dump one{.node = node, .shard = sku};
    one.digest = read_rows(stored, shard, entity, one, sku);
    out.digests[sku] = {one.applied, one.digest};
    if (log.first_kept(shard) != 1) {
      ++out.without_beginning;
      continue;
    }
    sku_log follow{of.names[sku], sku, commands};
    read_log(log, shard, shards[shard].last, follow);
    one.entries = std::move(follow.entries);
    out.skus.push_back(std::move(one));
  }
}

}  // namespace

node_dump dump_node(const std::string& directory, std::uint32_t node, const shop& of,
                    const std::map<std::string, history::command_id>& commands) {
  node_dump out;
  try {
    dump(directory, node, of, commands, out);
  } catch (const std::runtime_error& error) {
    out.fault = fmt::format("{}: {}", directory, error.what());
  }
  return out;
}

}  // namespace troupe::chaos
