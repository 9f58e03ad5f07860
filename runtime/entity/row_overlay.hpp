#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/entity/effects.hpp"
#include "runtime/entity/row_source.hpp"

namespace troupe {

/// The rows of one entity as its next command must see them: what is stored, below what this activation wrote
/// and the store does not hold yet. An entity works ahead of commit, so the overlay is what makes it read its
/// own writes. Owned by one activation; not thread-safe.
///
/// Looking for a row that is not there costs the store more than finding one, and new rows mostly lie behind
/// all others of their table (ids that begin with their time, numbers that count up). The one activation that
/// writes an entity's rows can know where each table ends, and does not ask for what lies behind.
///
/// Life of a write: put() -> seal(batch) when the command succeeded, or undo() -> forget(batch) once applied.
class row_overlay {
 public:
  explicit row_overlay(std::unique_ptr<row_source> stored) : stored_(std::move(stored)) {}

  std::optional<std::string> get(table_no table, std::string_view key) const;
  /// Visits in order the rows of the table that lie in the range.
  void scan(table_no table, const row_range& range, scan_order order, const row_visitor& visit) const;

  /// Writes (or erases) a row, visible at once, and remembers it among the open writes.
  void put(table_no table, std::string_view key, std::optional<std::string> value);

  /// True when something was written since the last seal or undo.
  bool has_open_writes() const { return !open_.empty(); }
  /// Not less than what those writes take in a log entry.
  std::size_t open_bytes_at_most() const;
  /// Ends a command that succeeded; hands out what it wrote, at most once a row, in order of first writing.
  /// `batch` must not decrease.
  std::vector<row_write> seal(std::uint64_t batch);
  /// Ends a command that failed: everything since the last seal is as if it had not been.
  void undo();
  /// All batches up to this one are in the store: their rows need no memory any more.
  void forget(std::uint64_t applied_batch);

  std::size_t size() const;

 private:
  struct pending_row {
    std::optional<std::string> value;
    std::uint64_t batch = 0;  // open_batch while the command runs
  };
  static constexpr std::uint64_t open_batch = ~std::uint64_t{0};
  using row_map = std::map<std::string, pending_row, std::less<>>;
  /// A map a table: new rows mostly come in key order, and then go to the end of theirs without a search.
  struct pending_table {
    table_no number{};
    row_map rows;
  };
  struct open_write {
    pending_table* table = nullptr;
    row_map::iterator row;
    std::optional<pending_row> before;  // what it replaced
  };
  struct sealed_write {
    std::uint64_t batch = 0;
    pending_table* table = nullptr;
    row_map::iterator row;
  };
  /// Where a table ends in the store, at most.
  struct table_end {
    table_no number{};
    bool is_known = false;
    std::uint32_t misses = 0;         // rows that were looked for and not there, until it is known
    std::optional<std::string> last;  // key; none: the table is empty
  };
  class pending_walk;

  const pending_table* find_table(table_no number) const;
  pending_table& table_of(table_no number);
  table_end* find_end(table_no number) const;
  bool may_be_stored(table_no table, std::string_view key) const;
  void note_miss(table_no table) const;

  std::unique_ptr<row_source> stored_;
  mutable std::vector<table_end> ends_;                 // of tables in which rows were missed
  std::vector<std::unique_ptr<pending_table>> tables_;  // a handful, so the search is linear
  std::vector<open_write> open_;
  /// Oldest first. A row is let go by the entry of its own batch, so no entry outlives its row.
  std::vector<sealed_write> sealed_;
};

}  // namespace troupe
