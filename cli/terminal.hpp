#pragma once

#include <cstdio>

namespace troupe::cli {

/// What a stream can show: a terminal can have its lines redrawn, `colour` honours NO_COLOR
/// (https://no-color.org: set and not empty) and a dumb terminal, `utf8` follows the locale.
struct terminal {
  bool is_terminal = false;
  bool colour = false;
  bool utf8 = false;
};
terminal look_at(std::FILE* stream);

}  // namespace troupe::cli
