#include "cluster/history/operation.hpp"

#include <fmt/format.h>

namespace troupe::history {
namespace {

std::string said(const stock_counts& counts) {
  std::string out;
  const auto add = [&](const char* name, std::int64_t units) {
    if (units != not_said) out += fmt::format(", {} {}", name, units);
  };
  add("available", counts.available);
  add("reserved", counts.reserved);
  add("sold", counts.sold);
  return out;
}

std::string asked(op_kind kind, std::uint32_t sku, std::uint64_t order, std::int64_t quantity) {
  auto out = fmt::format("{} SKU {}", to_string(kind), sku);
  if (kind == op_kind::reserve || kind == op_kind::restock) out += fmt::format(" × {}", quantity);
  if (order != 0) out += fmt::format(", order {}", order);
  return out;
}

std::string answered(const operation& op) {
  switch (op.outcome) {
    case outcome::ok:
      return fmt::format("ok{}{} at epoch {} index {}", op.is_replay ? " (replayed)" : "", said(op.said),
                         op.witness.epoch, op.witness.index);
    case outcome::rejected:
      return fmt::format("rejected ({}){} at epoch {} index {}", to_string(op.why), said(op.said),
                         op.witness.epoch, op.witness.index);
    case outcome::unknown:
      return "unknown";
  }
  return "?";
}

double seconds(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

}  // namespace

std::string_view to_string(op_kind kind) {
  switch (kind) {
    case op_kind::reserve:
      return "reserve";
    case op_kind::confirm:
      return "confirm";
    case op_kind::cancel:
      return "cancel";
    case op_kind::restock:
      return "restock";
    case op_kind::read:
      return "read";
    case op_kind::expire:
      return "expire";
    case op_kind::other:
      return "other";
  }
  return "?";
}

std::string_view to_string(reason why) {
  switch (why) {
    case reason::none:
      return "none";
    case reason::sold_out:
      return "sold out";
    case reason::no_such_order:
      return "no such order";
    case reason::order_closed:
      return "order closed";
    case reason::hold_expired:
      return "hold expired";
    case reason::bad_quantity:
      return "bad quantity";
    case reason::order_exists:
      return "order exists";
  }
  return "?";
}

std::string_view to_string(order_status status) {
  switch (status) {
    case order_status::reserved:
      return "reserved";
    case order_status::confirmed:
      return "confirmed";
    case order_status::cancelled:
      return "cancelled";
    case order_status::expired:
      return "expired";
  }
  return "?";
}

std::string to_string(const operation& op) {
  auto out = fmt::format("client {} command {}: {}, asked at {:.6f} s", op.command.client, op.command.number,
                         asked(op.kind, op.sku, op.order, op.quantity), seconds(op.invoked_ns));
  if (op.returned_ns != never) out += fmt::format(", answered at {:.6f} s", seconds(op.returned_ns));
  return out + ": " + answered(op);
}

std::string to_string(const log_entry& entry) {
  auto out = fmt::format("entry at epoch {} index {} ({}", entry.at.epoch, entry.at.index,
                         entry.kind == op_kind::other
                             ? std::string{"no stock"}
                             : asked(entry.kind, entry.sku, entry.order, entry.quantity) + said(entry.after));
  if (entry.command != command_id{})
    out += fmt::format("; client {} command {}", entry.command.client, entry.command.number);
  return out + ")";
}

}  // namespace troupe::history
