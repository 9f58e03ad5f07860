#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cluster/authority/authority.hpp"
#include "cluster/authority/membership.hpp"

/// The callbacks of an authority as calls that wait, with a deadline.
namespace troupe::test {

inline constexpr std::chrono::seconds answer_max{20};

template <class T, class Start>
T await(Start&& start) {
  auto promise = std::make_shared<std::promise<T>>();
  auto answer = promise->get_future();
  start([promise](T value) { promise->set_value(std::move(value)); });
  REQUIRE_MESSAGE(answer.wait_for(answer_max) == std::future_status::ready, "the callback was not called");
  return answer.get();
}

inline read_result read_all(authority& a) {
  return await<read_result>([&](auto done) { a.read_all(done); });
}

inline cas_result cas(authority& a, shard_id shard, std::uint64_t expected, const shard_config& proposed) {
  return await<cas_result>([&](auto done) { a.cas(shard, expected, proposed, done); });
}

inline registration_result enter(membership& m, const node_profile& self) {
  return await<registration_result>([&](auto done) { m.register_node(self, done); });
}

inline nodes_result read_nodes(membership& m) {
  return await<nodes_result>([&](auto done) { m.read_nodes(done); });
}

inline uuid numbered(std::uint64_t number) { return make_numbered_uuid_v7({1}, 1, number); }

inline node_profile profile(const std::string& name, std::uint64_t disk) {
  return {.name = name,
          .address = {},
          .zone = {},
          .ops = {},
          .disk = numbered(disk),
          .cluster = {},
          .shard_count = 64};
}

inline shard_config led_by(member primary, std::uint64_t epoch, std::vector<member> in_sync) {
  return {.generation = 0,
          .epoch = epoch,
          .primary = primary,
          .in_sync = std::move(in_sync),
          .replicas = {primary.node},
          .min_in_sync = 1,
          .written_by = numbered(epoch)};
}

/// Counts calls and waits for one.
class call_count {
 public:
  void operator()() {
    const std::lock_guard lock{mutex_};
    ++count_;
    called_.notify_all();
  }
  std::uint64_t now() {
    const std::lock_guard lock{mutex_};
    return count_;
  }
  bool wait_past(std::uint64_t count, std::chrono::milliseconds at_most) {
    std::unique_lock lock{mutex_};
    return called_.wait_for(lock, at_most, [&] { return count_ > count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable called_;
  std::uint64_t count_ = 0;
};

}  // namespace troupe::test
