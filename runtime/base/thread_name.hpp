#pragma once

#include <pthread.h>

#include <cstddef>

namespace troupe {

/// Names the calling thread for `top -H`, `ps -L` and debuggers; at most 15 characters.
template <std::size_t Size>
void name_thread(const char (&name)[Size]) {
  static_assert(Size <= 16, "Linux refuses a longer name");
  ::pthread_setname_np(::pthread_self(), name);
}

}  // namespace troupe
