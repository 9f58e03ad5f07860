#pragma once

#include <stdexcept>

namespace troupe::http {

/// The front cannot start as it is configured: a taken port, two routes of one path, a key file that others
/// can read. Thrown by constructors only; the composition root prints what() and exits.
class boot_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace troupe::http
