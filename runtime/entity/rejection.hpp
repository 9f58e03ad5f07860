#pragma once

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/policy/terminate.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "runtime/entity/describe.hpp"

namespace troupe {

/// One more member of the problem that a client sees, e.g. {"opensAt", "2026-01-31T09:30:00.000Z"}.
struct problem_field {
  std::string name;
  std::string value;
  friend auto operator<=>(const problem_field&, const problem_field&) = default;
};
TROUPE_DESCRIBE(problem_field, name, value)

/// A refusal: part of a kind's protocol, expected, and without any effect. `code` is the kind's refusal enum.
struct rejection {
  std::uint16_t code = 0;
  std::string detail;
  std::vector<problem_field> fields;
  friend auto operator<=>(const rejection&, const rejection&) = default;
};
TROUPE_DESCRIBE(rejection, code, detail, fields)

template <class T>
using result = boost::outcome_v2::basic_result<T, rejection, boost::outcome_v2::policy::terminate>;

template <described_enum Refusal>
rejection reject(Refusal code, std::string detail = {}, std::vector<problem_field> fields = {}) {
  return {static_cast<std::uint16_t>(code), std::move(detail), std::move(fields)};
}

/// The reply of a command that has nothing to say but that it was done.
struct done {
  friend auto operator<=>(const done&, const done&) = default;
};
BOOST_DESCRIBE_STRUCT(done, (), ())

}  // namespace troupe
