#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>

#include "test/simulation/campaign.hpp"

using namespace troupe::simulation;  // NOLINT
using troupe::replication::mutant;

namespace {

/// How many fresh seeds a test run simulates; TROUPE_SIMULATION_SEEDS says otherwise.
std::uint64_t fresh_seeds() {
  const char* wanted = std::getenv("TROUPE_SIMULATION_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 10'000;
}

}  // namespace

TEST_CASE(
    "simulation: fresh seeds break no invariant and recover, and everything rare happens often enough") {
  campaign_options options;
  options.each.seed =
      static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count()) / 1'000'000;
  options.seeds = fresh_seeds();
  const auto all = run_campaign(options);
  for (const auto& r : all.broken) {
    run_options again;
    again.seed = r.seed;
    FAIL_CHECK(r.broken->what << ": " << r.broken->detail << " (" << to_line(again) << ")");
  }
  CHECK(all.seeds == options.seeds);
  if (options.seeds < 1000) return;
  for (std::size_t i = 0; i < all.marks.size(); ++i) {
    CAPTURE(mark_names[i]);
    CHECK(all.marks[i] * 1000 >= 20 * all.seeds);  // less often it proves nothing
  }
  for (std::size_t i = 0; i < all.faults.size(); ++i) {
    CAPTURE(to_string(static_cast<fault>(i)));
    CHECK(all.faults[i] * 1000 >= 20 * all.seeds);
  }
}

TEST_CASE("simulation: a seed replays exactly") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    run_options options;
    options.seed = seed;
    const auto once = run_once(options);
    const auto twice = run_once(options);
    CHECK(once.trace_hash == twice.trace_hash);
    CHECK(once.happenings == twice.happenings);
  }
}

TEST_CASE("simulation: every mutant is found within 5,000 seeds") {
  // With few seeds (a slow build) most of them must still be found.
  const bool all_must = fresh_seeds() >= 1000;
  int found = 0;
  for (int i = 1; i < static_cast<int>(mutant::count); ++i) {
    const auto bug = static_cast<mutant>(i);
    CAPTURE(to_string(bug));
    campaign_options options;
    options.each.seed = 1;
    options.each.bug = bug;
    options.each.under = best_profile(bug);
    options.seeds = all_must ? 5000 : 20;
    options.stops_at_first = true;
    const auto all = run_campaign(options);
    const bool is_found = std::any_of(all.broken.begin(), all.broken.end(),
                                      [&](const run_result& r) { return finds(bug, *r.broken); });
    found += is_found ? 1 : 0;
    if (all_must) CHECK(is_found);
  }
  CHECK(found >= 20);
}

TEST_CASE("simulation: the seeds that once broke an invariant no longer do") {
  std::ifstream in(TROUPE_REGRESSIONS);
  REQUIRE(in);
  std::size_t replayed = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    CAPTURE(line);
    const auto run = from_line(line);
    REQUIRE(run);
    const auto result = run_once(*run);
    CHECK(result.broken.has_value() == (run->bug != mutant::none));
    ++replayed;
  }
  CHECK(replayed > 0);
}

TEST_CASE("simulation: a failure is shrunk to one with fewer faults that still fails") {
  run_options failing;
  failing.bug = mutant::truncate_to_commit;
  failing.seed = 18;  // what an earlier one draws needs more operations to fail than a small run has
  while (!run_once(failing).broken) ++failing.seed;
  const auto small = shrink(failing, 150);
  CHECK(run_once(small).broken);
  CHECK(small.faults_max <= run_once(failing).faults_drawn);
  CHECK((small.nodes_max < 5 || small.clients_max < 8));
  CHECK(small.operations_max <= 256);
  const auto read_back = from_line(to_line(small));
  REQUIRE(read_back);
  CHECK(to_line(*read_back) == to_line(small));
  CHECK_FALSE(from_line("seed=x"));
  CHECK_FALSE(from_line("whatever"));
}
