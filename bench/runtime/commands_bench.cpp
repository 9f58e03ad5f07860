#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

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

void fill(const std::string& directory, std::uint64_t entities) {
  toy_node filling{directory, 1'000};
  {
    client_loop client{filling.get()};
    for (std::uint64_t n = 0; n < entities; ++n) client.submit(numbered_add(n, entities));
    client.finish();
  }
  filling.get().stop(std::chrono::seconds{10});
}

/// Queries to entities that are never in memory: each is read from the store, run, and let go.
void activation(benchmark::State& state) {
  constexpr std::uint64_t entities = 20'000;
  const temporary_directory directory;
  fill(directory.path(), entities);
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

/// What one resident idle entity costs in memory: the process with 100,000 of them against the same process
/// with ten, everything applied and told.
void bytes_an_entity(benchmark::State& state) {
  constexpr std::uint64_t entities = 100'000;
  const temporary_directory directory;
  fill(directory.path(), entities);
  toy_node runtime{directory.path(), 10 * entities};
  for (auto _ : state) {
    client_loop client{runtime.get()};
    for (std::uint64_t n = 0; n < 10; ++n) client.submit(get_of(n));
    client.finish();
    const auto before = resident_bytes();
    for (std::uint64_t n = 0; n < entities; ++n) client.submit(get_of(n));
    client.finish();
    const auto after = resident_bytes();
    state.counters["residents"] = static_cast<double>(runtime.get().figures().residents);
    state.counters["bytes_an_entity"] = static_cast<double>(after - before) / static_cast<double>(entities);
  }
  runtime.get().stop(std::chrono::seconds{10});
}

/// From opening the directory of a process that was killed to the first answer, after that many commands.
/// In a process of its own, which ends by SIGKILL.
void fill_and_die(const std::string& directory, std::int64_t count) {
  const auto child = ::fork();
  if (child == 0) {
    toy_node filling{directory, 100'000};
    client_loop client{filling.get()};
    for (std::int64_t i = 0; i < count; ++i)
      client.submit(numbered_add(static_cast<std::uint64_t>(i), 10'000));
    client.finish();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
}

void restart(benchmark::State& state) {
  const temporary_directory directory;
  fill_and_die(directory.path(), state.range(0));
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

BENCHMARK_MAIN();
