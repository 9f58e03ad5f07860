#!/usr/bin/env bash
# Everything that is checked before a change is accepted: format, clang-tidy, and every test, also under
# AddressSanitizer and UndefinedBehaviorSanitizer.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/test.sh [--quick]
  Sets up, builds the presets release and asan, checks the format, runs clang-tidy on changed files, and runs all
  tests in both builds. Ends with the summary of ctest. Under 20 minutes on two cores.
  --quick   release only, without clang-tidy
TEXT
}

quick=false
case "${1:-}" in
  --help) usage; exit 0 ;;
  --quick) quick=true ;;
  "") ;;
  *) usage >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

step "set up"
scripts/setup.sh
step "format"
scripts/format.sh --check
step "build release"
scripts/build.sh release
if [[ $quick == false ]]; then
  step "clang-tidy"
  scripts/tidy.sh
  step "build asan"
  scripts/build.sh asan
fi
step "tests, release"
ctest --preset release --parallel "$(nproc)"
if [[ $quick == false ]]; then
  step "tests, asan"
  ctest --preset asan --parallel "$(nproc)"
fi
