#pragma once

#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>

#include "bench/runtime/toy_kind.hpp"
#include "cluster/replica_host/standalone_node.hpp"
#include "test/support/temporary_directory.hpp"

/// What the runtime benchmarks share: a node, and a client that keeps a window in
/// flight.
namespace troupe::bench {

using test::temporary_directory;

/// One node with the toy kind and as many shards as a new directory of `serve` has.
class toy_node {
 public:
  toy_node(const std::string& directory, std::size_t resident_max) : kinds_{{describe_kind<toy::kind>()}} {
    node_options options;
    options.data_directory = directory;
    options.resident_max = resident_max;
    options.shard_count = 16;
    auto started = standalone_node::start(options, kinds_, clock_);
    if (auto* fault = std::get_if<store_error>(&started)) {
      std::fprintf(stderr, "%s\n", fault->message.c_str());
      std::abort();
    }
    node_ = std::move(std::get<std::unique_ptr<standalone_node>>(started));
  }
  node& get() { return node_->runtime(); }

 private:
  kind_registry kinds_;
  system_clock clock_;
  std::unique_ptr<standalone_node> node_;
};

/// Sends commands from one thread and keeps up to `window` of them unanswered.
class client_loop {
 public:
  explicit client_loop(node& to, std::size_t window = 4000) : window_(window) {
    port_ = to.make_port([this] {
      const std::lock_guard lock{mutex_};
      woken_ = true;
      wake_.notify_one();
    });
  }
  void submit(command&& what) {
    while (in_flight_ >= window_) wait();
    ++in_flight_;
    port_->submit(std::move(what), [this](reply&& r) {
      --in_flight_;
      if (r.status != reply_status::ok) ++failed_;
    });
  }
  void finish() {
    while (in_flight_ > 0) wait();
  }
  std::uint64_t failed() const { return failed_; }

 private:
  void wait() {
    port_->flush();
    {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [this] { return woken_; });
      woken_ = false;
    }
    port_->drain();
  }
  const std::size_t window_;
  std::size_t in_flight_ = 0;
  std::uint64_t failed_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
  std::unique_ptr<command_port> port_;
};

/// Command number n to one of `entities`, under a name of its own.
inline command numbered_add(std::uint64_t n, std::size_t entities) {
  command what;
  what.target = {toy::kind::options.id, "entity-" + std::to_string(n % entities)};
  what.message = toy::kind::number_of<toy::add>();
  what.body = encode(toy::add{1});
  const auto name = n + 1;
  std::memcpy(what.id.bytes.data(), &name, sizeof name);
  what.deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  return what;
}

inline command get_of(std::uint64_t n) {
  command what;
  what.target = {toy::kind::options.id, "entity-" + std::to_string(n)};
  what.message = toy::kind::number_of<toy::get>();
  what.is_query = true;
  what.body = encode(toy::get{});
  what.deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  return what;
}

inline std::size_t resident_bytes() {
  std::ifstream in{"/proc/self/statm"};
  std::size_t total = 0;
  std::size_t resident = 0;
  in >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace troupe::bench
