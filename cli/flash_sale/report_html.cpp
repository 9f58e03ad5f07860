#include "cli/flash_sale/report.hpp"

namespace troupe::flash_sale {

std::string report_html(const sale_report&) { return {}; }

}  // namespace troupe::flash_sale
