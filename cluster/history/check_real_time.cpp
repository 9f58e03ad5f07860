#include "cluster/history/checks.hpp"

namespace troupe::history {
check_result check_real_time(std::vector<step>& steps) {
  check_result out{.name = "real time", .means = "what began after an answer comes after it in the log"};
  const auto whose = [](const step& s) { return s.shard; };
  sweep_in_time(steps, whose, [&](const step& s, const step* before) {
    ++out.examined;
    if (before != nullptr && (s.is_write ? s.index <= before->index : s.index < before->index))
      out.violated(std::string{s.is_write ? "written before" : "read from before"} + " index " +
                   std::to_string(before->index) + ", which had been answered when it was asked: " +
                   to_string(*s.op) + "; after " + to_string(*before->op));
  });
  return out;
}

}  // namespace troupe::history
