#include "test/chaos/log_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace troupe::chaos {
namespace {

// "runtime error:" is UBSan's, which says its name in a summary only; glibc says the last two before it
// aborts.
constexpr std::array<std::string_view, 7> crash_words{
    "invariant broken", "Segmentation",   "terminate called", "Sanitizer:",
    "runtime error:",   "double free or", "stack smashing"};

}  // namespace

std::string crash_line(std::istream& log) {
  for (std::string line; std::getline(log, line);)
    if (std::any_of(crash_words.begin(), crash_words.end(),
                    [&line](std::string_view word) { return line.find(word) != std::string::npos; }))
      return line;
  return {};
}

std::vector<std::string> crashes_in_logs(const std::string& directory) {
  std::vector<std::string> out;
  std::size_t logs = 0;
  for (const auto& entry : std::filesystem::directory_iterator{directory}) {
    if (entry.path().extension() != ".log") continue;
    ++logs;
    const auto name = entry.path().filename().string();
    std::ifstream in{entry.path()};
    if (!in) out.push_back(name + " cannot be read");
    if (const auto line = crash_line(in); !line.empty())
      out.push_back(fmt::format("{} says: {}", name, line));
  }
  if (logs == 0) out.push_back("there are no logs in " + directory);
  return out;
}

}  // namespace troupe::chaos
