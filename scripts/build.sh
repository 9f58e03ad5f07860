#!/usr/bin/env bash
# Configures and builds one preset.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/build.sh [PRESET [TARGET...]]
  PRESET   release (default), debug or asan; the result is in build/PRESET
  TARGET   what to build (default: everything of the preset)
TEXT
}

case "${1:-}" in
  --help) usage; exit 0 ;;
  -*) usage >&2; exit 2 ;;
esac
preset="${1:-release}"
shift || true

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# The configuration says the same every time; what matters is the build.
if ! output="$(cmake --preset "$preset" 2>&1)"; then
  printf '%s\n' "$output" >&2
  exit 1
fi
cmake --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"}
