#include "runtime/entity/row_overlay.hpp"

namespace troupe {

namespace {
// So many rows that are not there make it worth a look at where their table ends.
constexpr std::uint32_t misses_before_a_look = 4;
}  // namespace

const row_overlay::pending_table* row_overlay::find_table(table_no number) const {
  for (const auto& t : tables_) {
    if (t->number == number) return t.get();
  }
  return nullptr;
}

row_overlay::pending_table& row_overlay::table_of(table_no number) {
  for (auto& t : tables_) {
    if (t->number == number) return *t;
  }
  return *tables_.emplace_back(std::make_unique<pending_table>(pending_table{number, {}}));
}

std::size_t row_overlay::size() const {
  std::size_t sum = 0;
  for (const auto& t : tables_) sum += t->rows.size();
  return sum;
}

std::optional<std::string> row_overlay::get(table_no table, std::string_view key) const {
  const auto* pending = find_table(table);
  if (pending != nullptr && !pending->rows.empty() && key <= std::prev(pending->rows.end())->first) {
    const auto it = pending->rows.find(key);
    if (it != pending->rows.end()) return it->second.value;
  }
  if (!may_be_stored(table, key)) return std::nullopt;
  auto value = stored_->get(table, key);
  if (!value) note_miss(table);
  return value;
}

row_overlay::table_end* row_overlay::find_end(table_no number) const {
  for (auto& end : ends_) {
    if (end.number == number) return &end;
  }
  return nullptr;
}

bool row_overlay::may_be_stored(table_no table, std::string_view key) const {
  const auto* end = find_end(table);
  return end == nullptr || !end->is_known || (end->last && key <= *end->last);
}

void row_overlay::note_miss(table_no table) const {
  auto* found = find_end(table);
  if (found == nullptr) found = &ends_.emplace_back(table_end{table, false, 0, std::nullopt});
  auto& end = *found;
  if (end.is_known || ++end.misses < misses_before_a_look) return;
  end.is_known = true;
  stored_->scan(table, {}, scan_order::descending, [&](std::string_view key, std::string_view) {
    end.last = key;
    return false;
  });
  // What is pending may be in the store by the time that it is forgotten here.
  const auto* pending = find_table(table);
  if (pending == nullptr || pending->rows.empty()) return;
  const auto& last = std::prev(pending->rows.end())->first;
  if (!end.last || *end.last < last) end.last = last;
}

/// Walks the pending rows of one table and range, one at a time and in scan order.
class row_overlay::pending_walk {
 public:
  pending_walk(const row_map& rows, const row_range& range, scan_order order)
      : first_(rows.lower_bound(range.from)),
        last_(range.to.empty() ? rows.end() : rows.lower_bound(range.to)),
        order_(order) {}

  bool at_end() const { return first_ == last_; }
  std::string_view key() const { return current()->first; }
  const std::optional<std::string>& value() const { return current()->second.value; }
  void next() { order_ == scan_order::ascending ? ++first_ : --last_; }
  bool is_before(std::string_view other) const {
    return order_ == scan_order::ascending ? key() < other : other < key();
  }

 private:
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
  const auto* written = find_table(table);
  if (written == nullptr) return stored_->scan(table, range, order, visit);
  pending_walk pending{written->rows, range, order};
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
  if (auto* end = find_end(table); end != nullptr && end->is_known && value)
    if (!end->last || *end->last < key) end->last = key;
  auto& pending = table_of(table);
  auto& rows = pending.rows;
  const bool is_last = rows.empty() || std::prev(rows.end())->first < key;
  auto it = is_last ? rows.end() : rows.lower_bound(key);
  if (is_last || it->first != key) {
    it = rows.emplace_hint(it, key, pending_row{std::move(value), open_batch});
    open_.push_back({&pending, it, std::nullopt});
    return;
  }
  if (it->second.batch != open_batch) open_.push_back({&pending, it, std::move(it->second)});
  it->second = {std::move(value), open_batch};
}

std::size_t row_overlay::open_bytes_at_most() const {
  std::size_t sum = 0;
  for (const auto& [table, row, before] : open_)
    sum += row_write{table->number, row->first, row->second.value}.bytes_at_most();
  return sum;
}

std::vector<row_write> row_overlay::seal(std::uint64_t batch) {
  std::vector<row_write> out;
  out.reserve(open_.size());
  for (const auto& [table, row, before] : open_) {
    row->second.batch = batch;
    if (!before || before->batch != batch) sealed_.push_back({batch, table, row});
    out.push_back({table->number, row->first, row->second.value});
  }
  open_.clear();
  return out;
}

void row_overlay::undo() {
  for (auto& [table, row, before] : open_) {
    if (before) {
      row->second = std::move(*before);
    } else {
      table->rows.erase(row);
    }
  }
  open_.clear();
}

void row_overlay::forget(std::uint64_t applied_batch) {
  auto kept = sealed_.begin();
  for (; kept != sealed_.end() && kept->batch <= applied_batch; ++kept) {
    if (kept->row->second.batch == kept->batch) kept->table->rows.erase(kept->row);
  }
  if (kept == sealed_.begin()) return;
  sealed_.erase(sealed_.begin(), kept);
  if (!sealed_.empty() || !open_.empty()) return;
  // Nothing is pending: an entity that rests needs none of this memory.
  sealed_.shrink_to_fit();
  open_.shrink_to_fit();
  tables_.clear();
}

}  // namespace troupe
