#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runtime/entity/json_read.hpp"
#include "runtime/entity/rejection.hpp"
#include "runtime/entity/route.hpp"

namespace troupe::http {

/// One RFC 9457 problem. Views only: it is written at once.
struct problem {
  problem_kind kind;
  std::string_view detail;
  std::string_view instance;  // the path of the request
  std::string_view trace_id;
  std::span<const field_error> errors;
  std::span<const problem_field> fields;  // more members, of a kind's rejection
};

inline constexpr std::string_view problem_media_type = "application/problem+json";

/// Appends the problem as a JSON object.
void write_problem(std::string& out, const problem& what);

}  // namespace troupe::http
