#include <algorithm>
#include <tuple>

#include "cluster/history/checks.hpp"

namespace troupe::history {
check_result check_real_time(std::vector<step>& steps) {
  check_result out{.name = "real time", .means = "what began after an answer comes after it in the log"};
  std::sort(steps.begin(), steps.end(), [](const step& a, const step& b) {
    return std::tie(a.shard, a.invoked_ns, a.index) < std::tie(b.shard, b.invoked_ns, b.index);
  });
  returned_steps returned;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto& s = steps[i];
    if (i > 0 && steps[i - 1].shard != s.shard) returned = {};
    ++out.examined;
    const auto* before = returned.latest_before(s.invoked_ns);
    if (before != nullptr && (s.is_write ? s.index <= before->index : s.index < before->index))
      out.violated(std::string{s.is_write ? "written before" : "read from before"} + " index " +
                   std::to_string(before->index) + ", which had been answered when it was asked: " +
                   to_string(*s.op) + "; after " + to_string(*before->op));
    returned.add(s);
  }
  return out;
}

}  // namespace troupe::history
