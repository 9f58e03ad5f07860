#pragma once

#include <string>

namespace troupe {

/// Prints where and why, then aborts. For broken invariants and data only: state is in doubt, so the process
/// must not go on. Always compiled in.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line,
                                   const std::string& detail);

}  // namespace troupe

#define TROUPE_ASSERT(condition, detail) \
  (static_cast<bool>(condition) ? void() \
                                : ::troupe::assertion_failed(#condition, __FILE__, __LINE__, (detail)))
