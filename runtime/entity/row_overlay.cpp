#include "runtime/entity/row_overlay.hpp"

#include <algorithm>

namespace troupe {
namespace {

std::string map_key(table_no table, std::string_view key) {
  std::string out;
  out.reserve(key.size() + 1);
  out.push_back(static_cast<char>(table));
  out.append(key);
  return out;
}

}  // namespace

std::optional<std::string> row_overlay::get(table_no table, std::string_view key) const {
  if (!rows_.empty()) {
    const auto it = rows_.find(map_key(table, key));
    if (it != rows_.end()) return it->second.value;
  }
  return stored_->get(table, key);
}

/// Walks the pending rows of one table and range, one at a time and in scan order.
class row_overlay::pending_walk {
 public:
  pending_walk(const row_map& rows, table_no table, const row_range& range, scan_order order)
      : first_(rows.lower_bound(map_key(table, range.from))),
        last_(range.to.empty() ? end_of(rows, table) : rows.lower_bound(map_key(table, range.to))),
        order_(order) {}

  bool at_end() const { return first_ == last_; }
  std::string_view key() const { return std::string_view{current()->first}.substr(1); }
  const std::optional<std::string>& value() const { return current()->second.value; }
  void next() { order_ == scan_order::ascending ? ++first_ : --last_; }
  bool is_before(std::string_view other) const {
    return order_ == scan_order::ascending ? key() < other : other < key();
  }

 private:
  static row_map::const_iterator end_of(const row_map& rows, table_no table) {
    const auto byte = static_cast<std::uint8_t>(table);
    return byte == 0xff ? rows.end()
                        : rows.lower_bound(map_key(table_no{static_cast<std::uint8_t>(byte + 1)}, {}));
  }
  row_map::const_iterator current() const {
    return order_ == scan_order::ascending ? first_ : std::prev(last_);
  }

  row_map::const_iterator first_;
  row_map::const_iterator last_;
  scan_order order_;
};

void row_overlay::scan(table_no table, const row_range& range, scan_order order,
                       const row_visitor& visit) const {
  if (!range.to.empty() && range.to <= range.from) return;
  pending_walk pending{rows_, table, range, order};
  const auto visit_pending = [&] {
    const bool goes_on = !pending.value() || visit(pending.key(), *pending.value());
    pending.next();
    return goes_on;
  };
  bool goes_on = true;
  stored_->scan(table, range, order, [&](std::string_view key, std::string_view value) {
    while (goes_on && !pending.at_end() && pending.is_before(key)) goes_on = visit_pending();
    if (!goes_on) return false;
    const bool is_replaced = !pending.at_end() && pending.key() == key;
    goes_on = is_replaced ? visit_pending() : visit(key, value);
    return goes_on;
  });
  while (goes_on && !pending.at_end()) goes_on = visit_pending();
}

void row_overlay::put(table_no table, std::string_view key, std::optional<std::string> value) {
  const auto [it, inserted] = rows_.try_emplace(map_key(table, key));
  if (inserted || it->second.batch != open_batch) {
    before_.emplace_back(it, inserted ? std::nullopt : std::optional{std::move(it->second)});
    open_.push_back({table, std::string{key}, value});
  } else {
    const auto same = std::find_if(open_.begin(), open_.end(),
                                   [&](const row_write& w) { return w.table == table && w.key == key; });
    same->value = value;
  }
  it->second = {std::move(value), open_batch};
}

std::vector<row_write> row_overlay::seal(std::uint64_t batch) {
  for (const auto& [it, replaced] : before_) {
    it->second.batch = batch;
    if (!replaced || replaced->batch != batch) sealed_.emplace_back(batch, it);
  }
  before_.clear();
  return std::exchange(open_, {});
}

void row_overlay::undo() {
  for (auto& [it, replaced] : before_) {
    if (replaced) {
      it->second = std::move(*replaced);
    } else {
      rows_.erase(it);
    }
  }
  before_.clear();
  open_.clear();
}

void row_overlay::forget(std::uint64_t applied_batch) {
  auto kept = sealed_.begin();
  for (; kept != sealed_.end() && kept->first <= applied_batch; ++kept) {
    const auto& [batch, row] = *kept;
    if (row->second.batch == batch) rows_.erase(row);
  }
  sealed_.erase(sealed_.begin(), kept);
  if (sealed_.empty()) sealed_.shrink_to_fit();
}

}  // namespace troupe
