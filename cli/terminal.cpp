#include "cli/terminal.hpp"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace troupe::cli {
namespace {

bool is_utf8_locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    return strcasestr(value, "utf-8") != nullptr || strcasestr(value, "utf8") != nullptr;
  }
  return false;
}

}  // namespace

terminal look_at(std::FILE* stream) {
  terminal t;
  t.is_terminal = isatty(fileno(stream)) == 1;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool is_dumb = term != nullptr && std::strcmp(term, "dumb") == 0;
  t.colour = t.is_terminal && !is_dumb && (no_colour == nullptr || *no_colour == '\0');
  t.utf8 = t.is_terminal && is_utf8_locale();
  return t;
}

}  // namespace troupe::cli
