#include "test/chaos/first_attempts.hpp"

#include <fmt/format.h>

#include "cluster/history/recorder.hpp"

namespace troupe::chaos {
namespace {

std::string in_words(const request& what, const answer& got) {
  if (got.status == 0) return fmt::format("{} {}: no answer", what.method, what.path);
  return fmt::format("{} {}: {} {}", what.method, what.path, got.status, got.problem);
}

}  // namespace

answer first_attempts::ask(front_client& by, const request& what) {
  const auto began = [this] {
    const std::lock_guard lock{mutex_};
    return open_.insert(history::history_now());
  }();
  auto got = by.ask(what);
  const std::lock_guard lock{mutex_};
  open_.erase(began);
  if (!got.has_outcome()) failures_.push_back(in_words(what, got));
  return got;
}

std::size_t first_attempts::failed() const {
  const std::lock_guard lock{mutex_};
  return failures_.size();
}

std::string first_attempts::failure(std::size_t number) const {
  const std::lock_guard lock{mutex_};
  return failures_.at(number);
}

bool first_attempts::have_ended_from_before(std::int64_t time_ns) const {
  const std::lock_guard lock{mutex_};
  return open_.empty() || *open_.begin() >= time_ns;
}

}  // namespace troupe::chaos
