#include <algorithm>
#include <queue>
#include <tuple>

#include "cluster/history/checks.hpp"

namespace troupe::history {
namespace {

/// Of the steps that have returned: those that have not been passed yet, and the greatest index of the
/// others.
class returned_steps {
 public:
  void add(const step& s) {
    if (s.returned_ns != never) open_.push(&s);
  }
  /// The step of the greatest index that had returned before that time; null: none.
  const step* latest_before(std::int64_t ns) {
    for (; !open_.empty() && open_.top()->returned_ns < ns; open_.pop())
      if (latest_ == nullptr || open_.top()->index > latest_->index) latest_ = open_.top();
    return latest_;
  }

 private:
  struct returns_later {
    bool operator()(const step* a, const step* b) const { return a->returned_ns > b->returned_ns; }
  };
  std::priority_queue<const step*, std::vector<const step*>, returns_later> open_;
  const step* latest_ = nullptr;
};

}  // namespace

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
