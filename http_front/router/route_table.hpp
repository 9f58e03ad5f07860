#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http_front/net/request_head.hpp"
#include "runtime/entity/route.hpp"

namespace troupe::http {

/// What the front answers by itself, without asking any entity.
enum class local_page : std::uint8_t { none, health, stats, problems, problem };

/// One method of one path.
struct route_entry {
  http_method method{};
  std::string path;  // the template
  const route* what = nullptr;
  const route_block* block = nullptr;
  local_page page = local_page::none;
  std::vector<std::string> names;  // of the parameters, in order
  std::uint32_t number = 0;        // dense, from 1; 0 counts requests that match nothing
};

/// Which of them a request is for. A trie over path segments, made once and then only read: literal segments
/// win over parameters. The blocks have to outlive the table.
class route_table {
 public:
  enum class outcome : std::uint8_t { found, no_such_path, no_such_method, malformed };
  struct match {
    outcome what = outcome::no_such_path;
    const route_entry* entry = nullptr;
    std::string_view allow;  // the value of Allow, when the path exists
  };
  enum class compat_routes { absent, served };

  /// Throws boot_error on a malformed template or on two routes for one method and path.
  route_table(const std::vector<route_block>& blocks, compat_routes compat);
  ~route_table();
  route_table(const route_table&) = delete;
  route_table& operator=(const route_table&) = delete;

  /// `path` is still percent-encoded; parameters come back decoded.
  match find(verb method, std::string_view path,
             std::vector<std::pair<std::string_view, std::string>>& params) const;

  /// All entries by number; the first place is empty.
  const std::vector<const route_entry*>& entries() const { return entries_; }

 private:
  struct node;
  void add(route_entry entry);

  std::unique_ptr<node> root_;
  std::vector<const route_entry*> entries_{nullptr};
};

std::string_view to_string(http_method method);

}  // namespace troupe::http
