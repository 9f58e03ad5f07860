#include "cli/allocator.hpp"

#include <mimalloc.h>

namespace troupe::cli {

void tune_allocator() {
  // The default of 25 gives memory back that the next tick takes again.
  constexpr long decommit_delay_ms = 1000;
  mi_option_enable(mi_option_large_os_pages);
  mi_option_set(mi_option_decommit_delay, decommit_delay_ms);
}

}  // namespace troupe::cli
