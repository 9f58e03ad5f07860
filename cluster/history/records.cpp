#include "cluster/history/records.hpp"

#include <boost/json.hpp>

#include "runtime/entity/json_read.hpp"
#include "runtime/entity/json_write.hpp"

namespace troupe::history {
namespace {

struct sku_setup_record {
  std::uint32_t sku = 0;
  std::uint32_t shard = 0;
  std::int64_t initial = 0;
  bool holds = true;
};
TROUPE_DESCRIBE(sku_setup_record, sku, shard, initial, holds)

struct setup_record {
  int format = 0;
  std::vector<sku_setup_record> skus{};
};
TROUPE_DESCRIBE(setup_record, format, skus)

// The bits of an operation's second byte.
constexpr unsigned outcome_bits = 3;
constexpr unsigned replay_bit = 4;
constexpr unsigned says_available = 8;
constexpr unsigned says_reserved = 16;
constexpr unsigned says_sold = 32;

unsigned bits_of(const stock_counts& counts) {
  return (counts.available != not_said ? says_available : 0) |
         (counts.reserved != not_said ? says_reserved : 0) | (counts.sold != not_said ? says_sold : 0);
}

void write_counts(byte_writer& out, const stock_counts& counts) {
  for (const auto units : {counts.available, counts.reserved, counts.sold})
    if (units != not_said) out.zigzag(units);
}

void read_counts(byte_reader& in, unsigned bits, stock_counts& counts) {
  counts.available = (bits & says_available) != 0 ? in.zigzag() : not_said;
  counts.reserved = (bits & says_reserved) != 0 ? in.zigzag() : not_said;
  counts.sold = (bits & says_sold) != 0 ? in.zigzag() : not_said;
}

/// An enum's byte; beyond its last value the reader fails.
template <class Enum>
void read_enum(byte_reader& in, unsigned byte, Enum first, Enum last, Enum& out) {
  if (byte < static_cast<unsigned>(first) || byte > static_cast<unsigned>(last)) in.fail();
  out = static_cast<Enum>(byte);
}

void write_command(byte_writer& out, const command_id& id) {
  out.varint(id.client);
  out.varint(id.number);
}

void read_command(byte_reader& in, command_id& id) {
  id.client = in.varint();
  id.number = in.varint();
}

}  // namespace

void write_operation(byte_writer& out, const operation& op, std::int64_t& last_ns) {
  const bool is_answered = op.outcome != outcome::unknown;
  out.u8(static_cast<std::uint8_t>(op.kind));
  out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(op.outcome) | (op.is_replay ? replay_bit : 0) |
                                   (is_answered ? bits_of(op.said) : 0)));
  write_command(out, op.command);
  out.varint(op.sku);
  out.varint(op.order);
  out.zigzag(op.quantity);
  out.zigzag(op.invoked_ns - last_ns);
  last_ns = op.invoked_ns;
  if (!is_answered) return;
  out.zigzag(op.returned_ns - op.invoked_ns);
  out.u8(static_cast<std::uint8_t>(op.why));
  out.varint(op.witness.epoch);
  out.varint(op.witness.index);
  write_counts(out, op.said);
}

void read_operation(byte_reader& in, operation& op, std::int64_t& last_ns) {
  read_enum(in, in.u8(), op_kind::reserve, op_kind::read, op.kind);
  const unsigned bits = in.u8();
  read_enum(in, bits & outcome_bits, outcome::ok, outcome::unknown, op.outcome);
  op.is_replay = (bits & replay_bit) != 0;
  read_command(in, op.command);
  op.sku = static_cast<std::uint32_t>(in.varint());
  op.order = in.varint();
  op.quantity = in.zigzag();
  last_ns += in.zigzag();
  op.invoked_ns = last_ns;
  op.returned_ns = never;
  if (op.outcome == outcome::unknown) return;
  op.returned_ns = op.invoked_ns + in.zigzag();
  read_enum(in, in.u8(), reason::none, reason::order_exists, op.why);
  op.witness.epoch = in.varint();
  op.witness.index = in.varint();
  read_counts(in, bits, op.said);
}

void write_entry(byte_writer& out, const log_entry& entry) {
  out.u8(static_cast<std::uint8_t>(entry.kind));
  out.u8(static_cast<std::uint8_t>(bits_of(entry.after)));
  out.varint(entry.at.epoch);
  out.varint(entry.at.index);
  write_command(out, entry.command);
  out.varint(entry.sku);
  out.varint(entry.order);
  out.zigzag(entry.quantity);
  write_counts(out, entry.after);
}

void read_entry(byte_reader& in, log_entry& entry) {
  read_enum(in, in.u8(), op_kind::reserve, op_kind::other, entry.kind);
  const unsigned bits = in.u8();
  entry.at.epoch = in.varint();
  entry.at.index = in.varint();
  read_command(in, entry.command);
  entry.sku = static_cast<std::uint32_t>(in.varint());
  entry.order = in.varint();
  entry.quantity = in.zigzag();
  read_counts(in, bits, entry.after);
}

void write_rows(byte_writer& out, const sku_rows& rows) {
  out.varint(rows.sku);
  out.zigzag(rows.initial);
  out.zigzag(rows.restocked);
  out.u8(static_cast<std::uint8_t>(bits_of(rows.counts)));
  write_counts(out, rows.counts);
}

void read_rows(byte_reader& in, sku_rows& rows) {
  rows.sku = static_cast<std::uint32_t>(in.varint());
  rows.initial = in.zigzag();
  rows.restocked = in.zigzag();
  const unsigned bits = in.u8();
  read_counts(in, bits, rows.counts);
}

void write_order(byte_writer& out, const order_row& row) {
  out.varint(row.sku);
  out.varint(row.order);
  out.zigzag(row.quantity);
  out.u8(static_cast<std::uint8_t>(row.status));
}

void read_order(byte_reader& in, order_row& row) {
  row.sku = static_cast<std::uint32_t>(in.varint());
  row.order = in.varint();
  row.quantity = in.zigzag();
  read_enum(in, in.u8(), order_status::reserved, order_status::expired, row.status);
}

std::string setup_to_json(const std::vector<sku_setup>& skus) {
  setup_record record{.format = setup_format};
  for (const auto& s : skus) record.skus.push_back({s.sku, s.shard, s.initial, s.holds});
  std::string out;
  write_json(out, record);
  return out;
}

std::optional<std::vector<sku_setup>> setup_from_json(std::string_view text) {
  boost::system::error_code fault;
  const auto json = boost::json::parse(boost::json::string_view{text.data(), text.size()}, fault);
  if (fault) return std::nullopt;
  setup_record record;
  std::vector<field_error> errors;
  read_json(json, record, "", errors);
  if (!errors.empty() || record.format != setup_format) return std::nullopt;
  std::vector<sku_setup> out;
  for (const auto& s : record.skus) out.push_back({s.sku, s.shard, s.initial, s.holds});
  return out;
}

}  // namespace troupe::history
