#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/entity/names.hpp"

namespace troupe {

enum class scan_order : std::uint8_t { ascending, descending };

/// Half-open range [from, to) of row keys; an empty `to` means no upper bound.
struct row_range {
  std::string from;
  std::string to;
};

/// Gets a row's key and value; false ends the scan.
using row_visitor = std::function<bool(std::string_view key, std::string_view value)>;

/// Where the stored rows of one entity are read from. Implemented by the store and by the test kit.
class row_source {
 public:
  virtual ~row_source() = default;
  virtual std::optional<std::string> get(table_no table, std::string_view key) const = 0;
  virtual void scan(table_no table, const row_range& range, scan_order order,
                    const row_visitor& visit) const = 0;
};

}  // namespace troupe
