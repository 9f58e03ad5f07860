#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/entity/route.hpp"

namespace troupe::http {

/// Every problem type that this process can answer with: what GET /problems and /problems/<slug> show. Made
/// once. A kind's problem_of(code) has to answer with an empty slug for codes that it does not have.
class problem_catalogue {
 public:
  /// Throws boot_error when two different problems claim one slug.
  explicit problem_catalogue(const std::vector<route_block>& blocks);

  const std::string& all() const { return all_; }
  /// Null when there is no such type.
  const std::string* find(std::string_view slug) const;

 private:
  void add(const problem_kind& kind, std::string_view meaning);

  std::map<std::string, std::string, std::less<>> pages_;
  std::map<std::string_view, problem_kind> known_;
  std::string all_;
};

}  // namespace troupe::http
