#pragma once

#include <string>
#include <vector>

namespace troupe::chaos {

/// A task that was created: its user is told of it once, and once more when it is due.
struct expected_task {
  std::string id;
  bool has_due_time = false;
};

/// What an inbox says of one piece of news.
struct notification {
  std::string type;     // task_created, task_due
  std::string subject;  // the task's id
};

/// What is wrong with the inbox of these tasks' user, a sentence each: news that is missing, that came too
/// often, or that none of the tasks leads to. Empty when each was told exactly once.
std::vector<std::string> differences(const std::vector<expected_task>& tasks,
                                     const std::vector<notification>& inbox);

}  // namespace troupe::chaos
