#include "runtime/base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace troupe {

void assertion_failed(const char* condition, const char* file, int line, const std::string& detail) {
  std::fprintf(stderr, "troupe: invariant broken: %s (%s:%d) %s\n", condition, file, line, detail.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace troupe
