#include <stdexcept>

#include "runtime/base/assert.hpp"

namespace troupe {

// Instead of the one that ends the process: a broken assertion is a finding like any other.
void assertion_failed(const char* condition, const char* file, int line, const std::string& detail) {
  throw std::logic_error(std::string(condition) + " (" + file + ":" + std::to_string(line) + ") " + detail);
}

}  // namespace troupe
