#!/usr/bin/env bash
# Runs the replication protocol in simulated clusters, one a seed, as long as you like.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/simulate.sh [OPTION]...
  Builds the simulator (preset release) and runs it on all cores: seeds, simulated hours and injected faults by kind at
  the end. Exit status 1: an invariant was broken; --seed with the printed number, and the same --profile and --mutant
  if any, replays that run exactly.
  --seeds N      that many seeds (default 10000)
  --first S      beginning with this one (default: from the clock)
  --seed S       this one alone, with its story
  --profile P    mixed, elections, power, authority, lossy, snapshots, moves, relapses or joins (default: the seed chooses)
  --mutant M     with a known bug switched on (cluster/replica/mutant.hpp); stops at the first seed that finds it
  --shrink       prints the smallest run found that still breaks the invariant, a line for
                 test/simulation/regressions.txt
  --replay LINE  such a line, with its story
  --json         the result as JSON
TEXT
}

if [[ "${1:-}" == --help ]]; then
  usage
  exit 0
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -f build/release/build.ninja ]] || cmake --preset release >/dev/null
cmake --build --preset release --target troupe_simulate >&2
# What is given comes last, so it wins over the defaults.
if [[ " $* " == *" --mutant "* ]]; then defaults=(--first 1 --seeds 5000); else defaults=(--seeds 10000); fi
exec build/release/test/simulation/troupe_simulate "${defaults[@]}" "$@"
