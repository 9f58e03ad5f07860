#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace troupe::faults {

/// How a child ended and what it said.
struct child_end {
  enum class how { exited = 1, aborted, killed_by_other_signal, timed_out };
  how what = how::timed_out;
  int exit_code = 0;
  std::string out;
  std::string err;
};

/// Runs troupe_fault_child with these arguments; kills it after 30 s.
child_end run_child(const std::vector<std::string>& arguments);

}  // namespace troupe::faults
