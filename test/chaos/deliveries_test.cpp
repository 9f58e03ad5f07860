#include <doctest/doctest.h>

#include <algorithm>

#include "test/chaos/delivery_check.hpp"

using troupe::chaos::differences;
using troupe::chaos::expected_task;
using troupe::chaos::notification;
using sentences = std::vector<std::string>;

namespace {

const std::vector<expected_task> tasks{{"a", false}, {"b", true}};
/// Newest first, as an inbox lists them.
const std::vector<notification> told_once{{"task_due", "b"}, {"task_created", "b"}, {"task_created", "a"}};

std::vector<notification> with(const notification& one) {
  auto out = told_once;
  out.push_back(one);
  return out;
}

std::vector<notification> without(std::size_t at) {
  auto out = told_once;
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(at));
  return out;
}

}  // namespace

TEST_CASE("deliveries: news of each task once, in any order, is right") {
  CHECK(differences(tasks, told_once).empty());
  auto turned = told_once;
  std::reverse(turned.begin(), turned.end());
  CHECK(differences(tasks, turned).empty());
  CHECK(differences({}, {}).empty());
}

TEST_CASE("deliveries: what was told twice is reported") {
  CHECK(differences(tasks, with({"task_created", "a"})) ==
        sentences{"task_created of task a was told 2 times and not 1"});
  CHECK(differences(tasks, with({"task_due", "b"})) ==
        sentences{"task_due of task b was told 2 times and not 1"});
}

TEST_CASE("deliveries: what was not told is reported") {
  CHECK(differences(tasks, without(0)) == sentences{"task_due of task b was told 0 times and not 1"});
  CHECK(differences(tasks, without(2)) == sentences{"task_created of task a was told 0 times and not 1"});
}

TEST_CASE("deliveries: what no task leads to is reported") {
  CHECK(differences(tasks, with({"task_created", "c"})) ==
        sentences{"task_created of task c was told 1 times and not 0"});
  // It has no due time.
  CHECK(differences(tasks, with({"task_due", "a"})) ==
        sentences{"task_due of task a was told 1 times and not 0"});
  CHECK(differences({}, {{"task_assigned", "a"}}) ==
        sentences{"task_assigned of task a was told 1 times and not 0"});
}

TEST_CASE("deliveries: one task told twice does not make up for one that was not told") {
  auto swapped = without(2);
  swapped.push_back({"task_created", "b"});
  CHECK(differences(tasks, swapped) == sentences{"task_created of task a was told 0 times and not 1",
                                                 "task_created of task b was told 2 times and not 1"});
}
