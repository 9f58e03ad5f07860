#include "cluster/replica_host/authority_reader.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace troupe {

struct authority_reader::shared : std::enable_shared_from_this<shared> {
  struct question {
    shard_id shard;
    std::function<void(const stored_config&)> done;
  };

  authority& from;
  std::mutex mutex;
  std::vector<question> waiting;  // guarded by mutex
  bool is_reading = false;        // guarded by mutex
  bool has_ended = false;         // guarded by mutex

  explicit shared(authority& a) : from(a) {}

  void begin(std::vector<question> asked) {
    from.read_all([self = shared_from_this(), asked = std::move(asked)](const read_result& result) {
      self->answer(asked, result);
    });
  }

  void answer(const std::vector<question>& asked, const read_result& result) {
    for (const auto& one : asked)
      for (const auto& config : result.configs)
        if (config.shard == one.shard) one.done(config);
    std::vector<question> next;
    {
      const std::lock_guard lock{mutex};
      next = std::exchange(waiting, {});
      is_reading = !next.empty() && !has_ended;
      if (!is_reading) return;
    }
    begin(std::move(next));
  }
};

authority_reader::authority_reader(authority& from) : shared_(std::make_shared<shared>(from)) {}

authority_reader::~authority_reader() {
  const std::lock_guard lock{shared_->mutex};
  shared_->has_ended = true;
}

void authority_reader::read(shard_id shard, std::function<void(const stored_config&)> done) {
  std::vector<shared::question> first;
  {
    const std::lock_guard lock{shared_->mutex};
    auto& waiting = shared_->waiting;
    // A replica that asks again before it was answered wants one answer.
    std::erase_if(waiting, [shard](const auto& one) { return one.shard == shard; });
    waiting.push_back({shard, std::move(done)});
    if (std::exchange(shared_->is_reading, true)) return;
    first = std::exchange(waiting, {});
  }
  shared_->begin(std::move(first));
}

}  // namespace troupe
