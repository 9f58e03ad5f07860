#include "cli/flash_sale/figures.hpp"

#include <fmt/format.h>

namespace troupe::flash_sale {

std::string grouped(std::int64_t value) {
  std::string out = std::to_string(value);
  for (std::ptrdiff_t i = static_cast<std::ptrdiff_t>(out.size()) - 3; i > (value < 0 ? 1 : 0); i -= 3) {
    out.insert(static_cast<std::size_t>(i), 1, ',');
  }
  return out;
}

std::string duration(std::int64_t us, std::string_view microsecond) {
  if (us < 1'000) return fmt::format("{} {}", us, microsecond);
  if (us < 10'000) return fmt::format("{:.2f} ms", static_cast<double>(us) / 1e3);
  if (us < 100'000) return fmt::format("{:.1f} ms", static_cast<double>(us) / 1e3);
  if (us < 1'000'000) return fmt::format("{:.0f} ms", static_cast<double>(us) / 1e3);
  return fmt::format("{:.2f} s", static_cast<double>(us) / 1e6);
}

}  // namespace troupe::flash_sale
