#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/entity/effects.hpp"
#include "runtime/entity/row_source.hpp"

namespace troupe::test {

/// The stored rows of one entity, in memory. Must outlive its sources.
class memory_rows {
 public:
  using map = std::map<std::pair<table_no, std::string>, std::string, std::less<>>;

  void apply(const std::vector<row_write>& writes) {
    for (const auto& w : writes) {
      if (w.value) {
        rows_[{w.table, std::string{w.key}}] = std::string{*w.value};
      } else {
        rows_.erase({w.table, std::string{w.key}});
      }
    }
  }
  const map& all() const { return rows_; }
  std::unique_ptr<row_source> source() const { return std::make_unique<view>(rows_); }

 private:
  class view final : public row_source {
   public:
    explicit view(const map& rows) : rows_(rows) {}
    std::optional<std::string> get(table_no table, std::string_view key) const override {
      const auto it = rows_.find(std::pair{table, std::string{key}});
      if (it == rows_.end()) return std::nullopt;
      return it->second;
    }
    void scan(table_no table, const row_range& range, scan_order order,
              const row_visitor& visit) const override {
      auto first = rows_.lower_bound(std::pair{table, range.from});
      auto last = range.to.empty() ? end_of(table) : rows_.lower_bound(std::pair{table, range.to});
      while (first != last) {
        const auto at = order == scan_order::ascending ? first++ : --last;
        if (!visit(at->first.second, at->second)) return;
      }
    }

   private:
    map::const_iterator end_of(table_no table) const {
      const auto number = static_cast<std::uint8_t>(table);
      if (number == 0xff) return rows_.end();
      return rows_.lower_bound(std::pair{table_no{static_cast<std::uint8_t>(number + 1)}, std::string{}});
    }
    const map& rows_;
  };

  map rows_;
};

}  // namespace troupe::test
