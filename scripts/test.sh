#!/usr/bin/env bash
# Everything that is checked before a change is accepted: format, scripts, clang-tidy, and the tests, also under
# AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/test.sh [--quick | --full]
  Sets up, checks the format, the shell scripts and who includes whom, runs clang-tidy on a dozen files, builds the presets release and
  asan, and runs the tests: all of them in release, and those that start no other program with sanitizers. Ends with the summary of
  ctest. The first build takes most of the time.
  --quick   release only, without clang-tidy
  --full    all tests with sanitizers too, among them crashes, damaged disks and clusters of processes: half an hour more
TEXT
}

# What asan builds, and the labels that it runs (empty: everything).
asan_targets=(troupe_in_process_tests)
asan_labels='unit|property|simulation|integration'
quick=false
case "${1:-}" in
  --help) usage; exit 0 ;;
  --quick) quick=true ;;
  --full) asan_targets=() asan_labels='' ;;
  "") ;;
  *) usage >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

# CTest keeps tests apart by name: of two with one name, one gets the other's label and time limit.
check_test_names() {
  local twice
  twice="$(ctest --preset release --show-only | sed --quiet --regexp-extended 's/^ *Test +#[0-9]+: //p' | sort | uniq --repeated)"
  [[ -z "$twice" ]] && return 0
  printf 'two tests have this name:\n%s\n' "$twice" >&2
  return 1
}

step "set up"
scripts/setup.sh
step "format"
scripts/format.sh --check
step "shellcheck"
git ls-files -z -- '*.sh' .ci/run | xargs --null shellcheck --external-sources
step "arrows between the rooms"
scripts/arrows.sh
if [[ $quick == false ]]; then
  step "clang-tidy"
  scripts/tidy.sh
fi
step "build release"
scripts/build.sh release
if [[ $quick == false ]]; then
  step "build asan"
  scripts/build.sh asan "${asan_targets[@]}"
  step "tests, asan"
  ctest --preset asan --parallel "$(nproc)" ${asan_labels:+--label-regex "$asan_labels"}
fi
step "tests, release"
check_test_names
ctest --preset release --parallel "$(nproc)"
