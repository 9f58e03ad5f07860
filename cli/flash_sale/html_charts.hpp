#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/flash_sale/report.hpp"

/// The drawings of the report's page: inline SVG, coloured by the page's CSS classes `sold` and `refused`.
namespace troupe::flash_sale::html {

std::string escaped(std::string_view text);

/// Answers in each stretch of the sale, sold above refused.
std::string answers_chart(const sale_report& report);
/// Answers so far, against time.
std::string cumulative_chart(const sale_report& report);
/// Share of winners and of losers by latency, on a logarithmic axis.
std::string latency_chart(const sale_report& report);

}  // namespace troupe::flash_sale::html
