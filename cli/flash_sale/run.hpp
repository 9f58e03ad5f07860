#pragma once

#include "cli/flash_sale/options.hpp"

namespace troupe::flash_sale {

/// The whole command: puts the SKU up, runs the sale, reads back, checks, reports. Returns the exit code: 0
/// every check held, 1 one did not, 2 the sale could not be run. Prints progress and errors on stderr and the
/// report on stdout.
int run_flash_sale(const flash_sale_options& options);

}  // namespace troupe::flash_sale
