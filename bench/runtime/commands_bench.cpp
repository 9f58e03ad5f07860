#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "bench/runtime/client_loop.hpp"

/// The runtime alone, without HTTP: one client thread keeps 4,000 commands in flight, each is named and on
/// disk before its reply.
namespace {

using namespace troupe;
using namespace troupe::bench;

double ratio(std::uint64_t a, std::uint64_t b) {
  return static_cast<double>(a) / static_cast<double>(std::max<std::uint64_t>(1, b));
}

void run_commands(benchmark::State& state, std::size_t entities) {
  const temporary_directory directory;
  toy_node runtime{directory.path(), 100'000};
  {
    client_loop client{runtime.get()};
    std::uint64_t sent = 0;
    for (auto _ : state) {
      for (std::int64_t i = 0; i < state.range(0); ++i) client.submit(numbered_add(sent++, entities));
      client.finish();
    }
    const auto figures = runtime.get().figures();
    state.SetItemsProcessed(static_cast<std::int64_t>(sent));
    state.counters["failed"] = static_cast<double>(client.failed());
    state.counters["entries_per_sync"] = ratio(figures.entries, figures.journal.syncs);
    state.counters["sync_us"] = ratio(figures.journal.sync_us_sum, figures.journal.syncs);
  }
  runtime.get().stop(std::chrono::seconds{10});
}

void one_hot_entity(benchmark::State& state) { run_commands(state, 1); }
void ten_thousand_entities(benchmark::State& state) { run_commands(state, 10'000); }

constexpr const char* fill_option = "--fill";

enum class ending { in_peace, killed };

/// What is measured later starts with a store that another process has filled: with memory that nobody has
/// freed before, and with all threads (a fork of a process that has used RocksDB lacks those that flush, and
/// waits for them for ever).
void fill(const std::string& directory, std::uint64_t commands, std::uint64_t entities, ending how) {
  const auto child = ::fork();
  if (child == 0) {
    ::execl("/proc/self/exe", "troupe_runtime_bench", fill_option, directory.c_str(),
            std::to_string(commands).c_str(), std::to_string(entities).c_str(),
            how == ending::killed ? "killed" : "in-peace", nullptr);
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const bool is_as_meant =
      how == ending::killed ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!is_as_meant) std::abort();
}

/// The child of `fill`: its arguments behind the option.
int filling_process(char** argv) {
  const auto commands = std::stoull(argv[1]);
  const auto entities = std::stoull(argv[2]);
  toy_node filling{argv[0], 100'000};
  {
    client_loop client{filling.get()};
    for (std::uint64_t n = 0; n < commands; ++n) client.submit(numbered_add(n, entities));
    client.finish();
  }
  if (argv[3] == std::string_view{"killed"}) ::kill(::getpid(), SIGKILL);
  filling.get().stop(std::chrono::seconds{10});
  return 0;
}

/// Queries to entities that are never in memory: each is read from the store, run, and let go.
void activation(benchmark::State& state) {
  constexpr std::uint64_t entities = 20'000;
  const temporary_directory directory;
  fill(directory.path(), entities, entities, ending::in_peace);
  toy_node runtime{directory.path(), 64};
  {
    client_loop client{runtime.get()};
    std::uint64_t asked = 0;
    const auto before = runtime.get().figures().activations;
    for (auto _ : state) {
      for (std::int64_t i = 0; i < state.range(0); ++i) client.submit(get_of(asked++ % entities));
      client.finish();
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(asked));
    state.counters["activated_share"] = ratio(runtime.get().figures().activations - before, asked);
  }
  runtime.get().stop(std::chrono::seconds{10});
}

/// What one resident idle entity more costs in memory: growth of the process from 50,000 of them, by when its
/// queues and buffers are as large as they get, to 150,000.
void bytes_an_entity(benchmark::State& state) {
  constexpr std::uint64_t before = 50'000;
  constexpr std::uint64_t after = 150'000;
  const temporary_directory directory;
  fill(directory.path(), after, after, ending::in_peace);
  toy_node runtime{directory.path(), 10 * after};
  for (auto _ : state) {
    client_loop client{runtime.get()};
    for (std::uint64_t n = 0; n < before; ++n) client.submit(get_of(n));
    client.finish();
    const auto bytes_before = resident_bytes();
    for (std::uint64_t n = before; n < after; ++n) client.submit(get_of(n));
    client.finish();
    state.counters["residents"] = static_cast<double>(runtime.get().figures().residents);
    state.counters["bytes_an_entity"] =
        static_cast<double>(resident_bytes() - bytes_before) / static_cast<double>(after - before);
  }
  runtime.get().stop(std::chrono::seconds{10});
}

/// From opening the directory of a process that was killed to the first answer, after that many commands.
void restart(benchmark::State& state) {
  const temporary_directory directory;
  fill(directory.path(), static_cast<std::uint64_t>(state.range(0)), 10'000, ending::killed);
  for (auto _ : state) {
    const auto begin = std::chrono::steady_clock::now();
    toy_node runtime{directory.path(), 100'000};
    client_loop client{runtime.get()};
    client.submit(get_of(1));
    client.finish();
    // Stopping again, which waits for a flush that runs, is no part of it.
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    state.counters["failed"] = static_cast<double>(client.failed());
  }
}

BENCHMARK(one_hot_entity)->Arg(200'000)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);
BENCHMARK(ten_thousand_entities)->Arg(200'000)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);
BENCHMARK(activation)->Arg(100'000)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(2);
BENCHMARK(bytes_an_entity)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);
BENCHMARK(restart)->Arg(1'000'000)->Unit(benchmark::kMillisecond)->UseManualTime()->Iterations(1);

}  // namespace

int main(int argc, char** argv) {
  if (argc == 6 && argv[1] == std::string_view{fill_option}) return filling_process(argv + 2);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
