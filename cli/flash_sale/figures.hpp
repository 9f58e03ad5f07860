#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Numbers as people read them.
namespace troupe::flash_sale {

/// 12345 is 12,345.
std::string grouped(std::int64_t value);
/// Three digits that matter, with a unit: 1500 is 1.50 ms.
std::string duration(std::int64_t us, std::string_view microsecond = "us");

}  // namespace troupe::flash_sale
