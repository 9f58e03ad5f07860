#pragma once

#include <istream>
#include <string>
#include <vector>

namespace troupe::chaos {

/// The first line that only a broken program writes: a broken invariant, a crash, a sanitizer's report.
/// Empty: there is none.
std::string crash_line(std::istream& log);

/// Of all logs in a cluster's directory, a sentence each. A log that cannot be read is one of them, and so is
/// there being none.
std::vector<std::string> crashes_in_logs(const std::string& directory);

}  // namespace troupe::chaos
