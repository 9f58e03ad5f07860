#include <benchmark/benchmark.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "bench/runtime/toy_kind.hpp"
#include "runtime/host/node.hpp"

/// Durable commands a second through the whole runtime, without HTTP: one client thread keeps a window of
/// commands in flight, each is fsynced before its reply.
namespace {

using namespace troupe;
using std::chrono::steady_clock;

std::string fresh_directory() {
  std::string path = (std::filesystem::temp_directory_path() / "troupe-bench-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) std::abort();
  return path;
}

/// A client loop: submits, sleeps until woken, drains.
class client {
 public:
  explicit client(node& to) {
    port_ = to.make_port([this] {
      const std::lock_guard lock{mutex_};
      woken_ = true;
      wake_.notify_one();
    });
  }
  command_port& port() { return *port_; }
  void wait() {
    {
      std::unique_lock lock{mutex_};
      wake_.wait(lock, [this] { return woken_; });
      woken_ = false;
    }
    port_->drain();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool woken_ = false;
  std::unique_ptr<command_port> port_;
};

void run_commands(benchmark::State& state, std::size_t entities, bool named) {
  const auto directory = fresh_directory();
  kind_registry kinds{{describe_kind<toy::kind>()}};
  system_clock clock;
  node_options options;
  options.data_directory = directory;
  auto started = node::start(options, kinds, clock);
  auto& runtime = *std::get<std::unique_ptr<node>>(started);
  {
    client c{runtime};
    constexpr std::size_t window = 4000;
    std::size_t in_flight = 0;
    std::uint64_t sent = 0;
    std::uint64_t failed = 0;
    const auto body = encode(toy::add{1});
    const auto message = toy::kind::number_of<toy::add>();
    for (auto _ : state) {
      const std::uint64_t target = sent + static_cast<std::uint64_t>(state.range(0));
      while (sent < target || in_flight > 0) {
        while (sent < target && in_flight < window) {
          command what;
          what.target = {toy::kind::options.id, "e" + std::to_string(sent % entities)};
          what.message = message;
          what.body = body;
          if (named) {
            const auto number = sent + 1;
            std::memcpy(what.id.bytes.data(), &number, sizeof number);
          }
          what.deadline = steady_clock::now() + std::chrono::seconds{30};
          ++sent;
          ++in_flight;
          c.port().submit(std::move(what), [&](reply&& r) {
            --in_flight;
            if (r.status != reply_status::ok) ++failed;
          });
        }
        c.port().flush();
        c.wait();
      }
    }
    const auto figures = runtime.figures();
    state.SetItemsProcessed(static_cast<std::int64_t>(sent));
    state.counters["failed"] = static_cast<double>(failed);
    state.counters["entries_per_sync"] =
        static_cast<double>(figures.entries) /
        static_cast<double>(std::max<std::uint64_t>(1, figures.journal.syncs));
    state.counters["sync_us"] = static_cast<double>(figures.journal.sync_us_sum) /
                                static_cast<double>(std::max<std::uint64_t>(1, figures.journal.syncs));
  }
  runtime.stop(std::chrono::seconds{10});
  std::filesystem::remove_all(directory);
}

void one_hot_entity(benchmark::State& state) { run_commands(state, 1, true); }
void ten_thousand_entities(benchmark::State& state) { run_commands(state, 10'000, true); }

BENCHMARK(one_hot_entity)->Arg(200'000)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);
BENCHMARK(ten_thousand_entities)->Arg(200'000)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);

}  // namespace

BENCHMARK_MAIN();
