#pragma once

#include <cstdint>
#include <span>

#include "runtime/entity/route.hpp"

namespace troupe::http {

/// Every problem that the front itself answers with; the kinds bring their own (route_block::problem_of).
enum class front_problem : std::uint8_t {
  malformed_request = 1,
  invalid_json,
  validation_failed,
  invalid_cursor,
  idempotency_key_missing,
  idempotency_key_malformed,
  unauthenticated,
  invalid_token,
  forbidden,
  not_found,
  method_not_allowed,
  request_timeout,
  in_progress,
  precondition_failed,
  body_too_large,
  target_too_long,
  unsupported_media_type,
  expectation_failed,
  misdirected_request,
  idempotency_key_reused,
  headers_too_large,
  internal_error,
  transfer_coding_unsupported,
  overloaded,
  storage_full,
  too_many_connections,
  stopping,
  unavailable,
  outcome_unknown,
  deadline_passed,
  version_unsupported,
  no_redis,
};

struct documented_problem {
  front_problem number;
  problem_kind kind;
  std::string_view meaning;
};

const documented_problem& describe(front_problem which);
std::span<const documented_problem> all_front_problems();

}  // namespace troupe::http
