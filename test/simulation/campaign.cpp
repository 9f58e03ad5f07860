#include "test/simulation/campaign.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <iterator>
#include <mutex>
#include <thread>

namespace troupe::simulation {

namespace {

thread_local std::uint64_t running_seed = 0;

/// Only what may be done in a signal handler.
void name_seed(int signal) {
  char text[40] = "simulated seed:   ";
  auto* end = std::to_chars(text + 18, std::end(text) - 1, running_seed).ptr;
  *end++ = '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, static_cast<std::size_t>(end - text));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

/// When the process dies of a signal, the seed of that thread's run goes to standard error first.
bool name_seed_at_a_crash() {
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE}) std::signal(signal, name_seed);
  return true;
}

}  // namespace

run_result run_once(const run_options& options) {
  running_seed = options.seed;
  static const bool names_seeds = name_seed_at_a_crash();
  static_cast<void>(names_seeds);
  simulation one(options);
  return one.run();
}

namespace {

/// Whatever a run depends on beside its seed makes its failures worthless.
void compare(run_result& one, const run_result& again) {
  if (one.broken || (one.trace_hash == again.trace_hash && one.happenings == again.happenings)) return;
  one.broken =
      violation{"determinism", fmt::format("{:016x} and {:016x}", one.trace_hash, again.trace_hash), 0};
}

}  // namespace

campaign_result run_campaign(const campaign_options& options) {
  campaign_result all;
  std::atomic<std::uint64_t> next{0};
  std::atomic<bool> is_over{false};
  std::mutex mutex;
  const auto start = std::chrono::steady_clock::now();
  const auto work = [&] {
    while (!is_over) {
      auto each = options.each;
      const auto number = next++;
      if (number >= options.seeds) return;
      each.seed += number;
      auto one = run_once(each);
      if (each.seed % 100 == 0) compare(one, run_once(each));
      const std::lock_guard lock(mutex);
      ++all.seeds;
      all.simulated_hours += static_cast<double>(one.simulated) / static_cast<double>(3600 * second);
      all.happenings += one.happenings;
      if (one.is_late) all.late.push_back(one.seed);
      all.writes += one.writes;
      all.reads += one.reads;
      for (std::size_t i = 0; i < all.faults.size(); ++i) all.faults[i] += one.faults[i];
      for (std::size_t i = 0; i < all.marks.size(); ++i) {
        all.marks[i] += one.covered.times[i];
        all.seeds_with_mark[i] += one.covered.times[i] > 0 ? 1 : 0;
      }
      if (!one.broken) continue;
      if (options.stops_at_first && finds(options.each.bug, *one.broken)) is_over = true;
      all.broken.push_back(std::move(one));
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min<std::uint64_t>(options.threads, options.seeds); ++i)
    threads.emplace_back(work);
  work();
  for (auto& t : threads) t.join();
  all.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::sort(all.broken.begin(), all.broken.end(),
            [](const run_result& a, const run_result& b) { return a.seed < b.seed; });
  return all;
}

namespace {

/// Whether the run still breaks that invariant.
bool breaks(const run_options& run, const std::string& what) {
  const auto result = run_once(run);
  return result.broken && result.broken->what == what;
}

/// Leaves out as many faults as possible, in ever smaller blocks (delta debugging: Zeller, Hildebrandt 2002).
void leave_out_faults(run_options& best, const std::string& what, std::uint32_t& tries) {
  std::vector<std::uint32_t> kept;
  for (std::uint32_t i = 0; i < best.faults_max; ++i)
    if (!std::binary_search(best.skipped_faults.begin(), best.skipped_faults.end(), i)) kept.push_back(i);
  for (std::size_t block = std::max<std::size_t>(kept.size() / 2, 1);; block /= 2) {
    for (std::size_t at = 0; at < kept.size() && tries > 0;) {
      auto fewer = best;
      const auto end = std::min(at + block, kept.size());
      fewer.skipped_faults.insert(fewer.skipped_faults.end(), kept.begin() + static_cast<std::ptrdiff_t>(at),
                                  kept.begin() + static_cast<std::ptrdiff_t>(end));
      std::sort(fewer.skipped_faults.begin(), fewer.skipped_faults.end());
      --tries;
      if (breaks(fewer, what)) {
        best = std::move(fewer);
        kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(at),
                   kept.begin() + static_cast<std::ptrdiff_t>(end));
      } else {
        at = end;
      }
    }
    if (block == 1 || tries == 0) return;
  }
}

}  // namespace

run_options shrink(const run_options& failing, std::uint32_t tries) {
  const auto first = run_once(failing);
  if (!first.broken) return failing;
  const auto what = first.broken->what;
  auto best = failing;
  best.trace = false;
  best.faults_max = std::min(best.faults_max, first.faults_drawn);
  const auto attempt = [&](run_options fewer) {
    if (tries == 0) return false;
    --tries;
    if (!breaks(fewer, what)) return false;
    best = std::move(fewer);
    return true;
  };
  for (std::uint32_t clients = 1; clients < best.clients_max && clients < 6; ++clients) {
    auto fewer = best;
    fewer.clients_max = clients;
    if (attempt(fewer)) break;
  }
  for (std::uint32_t count = 3; count < best.nodes_max; ++count) {
    auto fewer = best;
    fewer.nodes_max = count;
    if (attempt(fewer)) break;
  }
  for (std::uint32_t count = 1; count < 1000; count *= 2) {
    auto fewer = best;
    fewer.operations_max = count;
    if (attempt(fewer)) break;
  }
  for (auto cut = best.faults_max / 2; cut > 0;) {
    auto fewer = best;
    fewer.faults_max = best.faults_max - cut;
    if (!attempt(fewer)) cut /= 2;
    cut = std::min(cut, best.faults_max);
    if (tries == 0) break;
  }
  leave_out_faults(best, what, tries);
  return best;
}

std::string to_line(const run_options& options) {
  return fmt::format("seed={} profile={} mutant={} clients={} nodes={} operations={} faults={} skip={}",
                     options.seed, options.under ? to_string(*options.under) : "any", to_string(options.bug),
                     options.clients_max, options.nodes_max, options.operations_max, options.faults_max,
                     fmt::join(options.skipped_faults, ","));
}

bool finds(replication::mutant bug, const violation& what) {
  return what.what != "L" || bug == replication::mutant::none ||
         bug == replication::mutant::silent_on_repeats;
}

std::optional<profile> best_profile(replication::mutant bug) {
  using replication::mutant;
  if (bug == mutant::silent_on_repeats) return profile::lossy;
  if (bug == mutant::confirm_by_known_set) return profile::joins;
  if (bug == mutant::epochless_ack || bug == mutant::transfer_to_anyone || bug == mutant::old_release)
    return profile::relapses;
  return std::nullopt;
}

std::optional<replication::mutant> mutant_named(std::string_view name) {
  for (int i = 0; i < static_cast<int>(replication::mutant::count); ++i)
    if (to_string(static_cast<replication::mutant>(i)) == name) return static_cast<replication::mutant>(i);
  return std::nullopt;
}

std::optional<run_options> from_line(std::string_view line) {
  run_options options;
  const auto number = [](std::string_view text, auto& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
  };
  while (!line.empty()) {
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), word.size() + 1));
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto key = word.substr(0, equals);
    auto value = word.substr(equals + 1);
    bool ok = true;
    if (key == "seed") {
      ok = number(value, options.seed);
    } else if (key == "profile") {
      options.under = profile_named(value);
      ok = options.under || value == "any";
    } else if (key == "mutant") {
      const auto bug = mutant_named(value);
      ok = bug.has_value();
      options.bug = bug.value_or(replication::mutant::none);
    } else if (key == "clients") {
      ok = number(value, options.clients_max);
    } else if (key == "nodes") {
      ok = number(value, options.nodes_max);
    } else if (key == "operations") {
      ok = number(value, options.operations_max);
    } else if (key == "faults") {
      ok = number(value, options.faults_max);
    } else if (key == "skip") {
      while (!value.empty() && ok) {
        const auto one = value.substr(0, value.find(','));
        value.remove_prefix(std::min(value.size(), one.size() + 1));
        ok = number(one, options.skipped_faults.emplace_back());
      }
    } else {
      ok = false;
    }
    if (!ok) return std::nullopt;
  }
  return options;
}

}  // namespace troupe::simulation
