#include "cli/allocator.hpp"

#include <mimalloc.h>

namespace troupe::cli {

void tune_allocator() { mi_option_enable(mi_option_large_os_pages); }

}  // namespace troupe::cli
