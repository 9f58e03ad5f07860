#include "test/chaos/delivery_check.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

namespace troupe::chaos {
namespace {

struct times {
  int wanted = 0;
  int told = 0;
};

}  // namespace

std::vector<std::string> differences(const std::vector<expected_task>& tasks,
                                     const std::vector<notification>& inbox) {
  std::map<std::pair<std::string, std::string>, times> news;  // by type and task
  for (const auto& task : tasks) {
    ++news[{"task_created", task.id}].wanted;
    if (task.has_due_time) ++news[{"task_due", task.id}].wanted;
  }
  for (const auto& one : inbox) ++news[{one.type, one.subject}].told;
  std::vector<std::string> out;
  for (const auto& [what, count] : news)
    if (count.told != count.wanted)
      out.push_back(fmt::format("{} of task {} was told {} times and not {}", what.first, what.second,
                                count.told, count.wanted));
  return out;
}

}  // namespace troupe::chaos
