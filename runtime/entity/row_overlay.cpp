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

void row_overlay::scan(table_no table, const row_range& range, scan_order order, const row_visitor& visit) const {
  auto first = rows_.lower_bound(map_key(table, range.from));
  auto last = range.to.empty() ? rows_.lower_bound(std::string(1, static_cast<char>(static_cast<int>(table) + 1)))
                               : rows_.lower_bound(map_key(table, range.to));
  if (!range.to.empty() && range.to <= range.from) return;

  // The pending rows in scan order; merged below with the stored ones, pending before stored of the same key.
  std::vector<row_map::const_iterator> pending;
  for (auto it = first; it != last; ++it) pending.push_back(it);
  if (order == scan_order::descending) std::reverse(pending.begin(), pending.end());

  std::size_t next = 0;
  bool stopped = false;
  const auto comes_before = [order](std::string_view a, std::string_view b) {
    return order == scan_order::ascending ? a < b : b < a;
  };
  const auto visit_pending = [&] {
    const auto& [key, row] = *pending[next++];
    if (row.value && !visit(std::string_view{key}.substr(1), *row.value)) stopped = true;
  };
  stored_->scan(table, range, order, [&](std::string_view key, std::string_view value) {
    while (!stopped && next < pending.size() && comes_before(std::string_view{pending[next]->first}.substr(1), key)) {
      visit_pending();
    }
    if (stopped) return false;
    if (next < pending.size() && std::string_view{pending[next]->first}.substr(1) == key) {
      visit_pending();
    } else if (!visit(key, value)) {
      stopped = true;
    }
    return !stopped;
  });
  while (!stopped && next < pending.size()) visit_pending();
}

void row_overlay::put(table_no table, std::string_view key, std::optional<std::string> value) {
  auto full = map_key(table, key);
  const auto [it, inserted] = rows_.try_emplace(full);
  if (inserted || it->second.batch != open_batch) {
    before_.emplace_back(std::move(full), inserted ? std::nullopt : std::optional{std::move(it->second)});
    open_.push_back({table, std::string{key}, value});
  } else {
    const auto same = std::find_if(open_.begin(), open_.end(),
                                   [&](const row_write& w) { return w.table == table && w.key == key; });
    same->value = value;
  }
  it->second = {std::move(value), open_batch};
}

std::vector<row_write> row_overlay::seal(std::uint64_t batch) {
  for (auto& [key, replaced] : before_) {
    rows_.find(key)->second.batch = batch;
    sealed_.emplace_back(batch, std::move(key));
  }
  before_.clear();
  return std::exchange(open_, {});
}

void row_overlay::undo() {
  for (auto it = before_.rbegin(); it != before_.rend(); ++it) {
    auto& [key, replaced] = *it;
    if (replaced) {
      rows_.find(key)->second = std::move(*replaced);
    } else {
      rows_.erase(key);
    }
  }
  before_.clear();
  open_.clear();
}

void row_overlay::forget(std::uint64_t applied_batch) {
  while (!sealed_.empty() && sealed_.front().first <= applied_batch) {
    const auto it = rows_.find(sealed_.front().second);
    if (it != rows_.end() && it->second.batch <= applied_batch) rows_.erase(it);
    sealed_.pop_front();
  }
}

}  // namespace troupe
