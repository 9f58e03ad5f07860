#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "test/simulation/simulation.hpp"

namespace troupe::simulation {

/// What many runs did together.
struct campaign_result {
  std::uint64_t seeds = 0;
  double simulated_hours = 0;
  double seconds = 0;
  std::uint64_t happenings = 0, writes = 0, reads = 0;
  std::vector<std::uint64_t> late;  // seeds that recovered only in the time that is given beyond the end
  std::array<std::uint64_t, static_cast<std::size_t>(fault::count)> faults{};
  std::array<std::uint64_t, static_cast<std::size_t>(mark::count)> marks{};
  std::array<std::uint64_t, static_cast<std::size_t>(mark::count)> seeds_with_mark{};
  std::vector<run_result> broken;  // by seed
};

struct campaign_options {
  run_options each;  // its seed is the first
  std::uint64_t seeds = 1;
  bool stops_at_first = false;  // with a mutant: at the first that finds it
  std::size_t threads = 2;
};

/// Independent runs of consecutive seeds, on several threads. One in a hundred runs twice, and must be the
/// same.
campaign_result run_campaign(const campaign_options& options);

/// One run; its result. From the first one on, a process that dies of a signal says which seed it was at.
run_result run_once(const run_options& options);

/// The smallest run that was found to break the same invariant: fewer clients, nodes and operations, an
/// earlier end of the faults, then as few of the faults as can be. Tries at most `tries` runs.
run_options shrink(const run_options& failing, std::uint32_t tries = 400);

std::optional<replication::mutant> mutant_named(std::string_view name);

/// Whether that gives the bug away. All but one break safety, so a cluster that only does not recover proves
/// nothing.
bool finds(replication::mutant bug, const violation& what);

/// The faults under which it is found soonest, where the others hardly ever do.
std::optional<profile> best_profile(replication::mutant bug);

/// One line that replays a run, and back: "seed=7 profile=power mutant=none clients=2 nodes=3
/// operations=16 faults=31 skip=1,2,9".
std::string to_line(const run_options& options);
std::optional<run_options> from_line(std::string_view line);

}  // namespace troupe::simulation
