#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/history/operation.hpp"
#include "runtime/base/bytes.hpp"

/// The bytes of a history's files; README.md of this folder has the layout. Another layout is another number
/// in the titles.
namespace troupe::history {

inline constexpr std::string_view operations_title = "troupe history operations 1";
inline constexpr std::string_view replica_title = "troupe history replica 1";
inline constexpr int setup_format = 1;

/// Times are written as the difference to the record before: `last_ns` is that record's, 0 for a file's
/// first.
void write_operation(byte_writer& out, const operation& op, std::int64_t& last_ns);
void read_operation(byte_reader& in, operation& op, std::int64_t& last_ns);

void write_entry(byte_writer& out, const log_entry& entry);
void read_entry(byte_reader& in, log_entry& entry);
void write_rows(byte_writer& out, const sku_rows& rows);
void read_rows(byte_reader& in, sku_rows& rows);
void write_order(byte_writer& out, const order_row& row);
void read_order(byte_reader& in, order_row& row);

std::string setup_to_json(const std::vector<sku_setup>& skus);
std::optional<std::vector<sku_setup>> setup_from_json(std::string_view text);

}  // namespace troupe::history
