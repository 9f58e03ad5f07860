#!/usr/bin/env bash
# Runs clang-tidy over the sources that changed, as many as fit the time.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/tidy.sh [--all | FILE...]
  Without arguments: the .cpp files that differ from the main branch (or, on it, from the commit before), 12 at most.
  --all   every .cpp file; takes long
TEXT
}

files_max=12
cd "$(dirname "${BASH_SOURCE[0]}")/.."

changed_files() {
  local base=HEAD~1
  for branch in origin/main main; do
    if git rev-parse --quiet --verify "$branch" >/dev/null && [[ "$(git rev-parse "$branch")" != "$(git rev-parse HEAD)" ]]; then
      base="$(git merge-base "$branch" HEAD)"
      break
    fi
  done
  git diff --name-only --diff-filter=d "$base" -- '*.cpp' 2>/dev/null || true
}

case "${1:-}" in
  --help) usage; exit 0 ;;
  --all) mapfile -t files < <(git ls-files '*.cpp') ;;
  -*) usage >&2; exit 2 ;;
  "")
    mapfile -t files < <(changed_files)
    if ((${#files[@]} > files_max)); then
      # Not always the same ones: another dozen each day.
      mapfile -t files < <(printf '%s\n' "${files[@]}" | shuf --random-source=<(yes "$(date +%F)") | head --lines="$files_max")
      echo "tidy: more than $files_max files changed; looking at $files_max of them (--all for all)"
    fi
    ;;
  *) files=("$@") ;;
esac
((${#files[@]} > 0)) || { echo "tidy: no source changed"; exit 0; }

# The commands are written for g++: its precompiled headers and its own options mean nothing to clang.
commands="$(mktemp --directory)"
trap 'rm --recursive --force "$commands"' EXIT
sed --regexp-extended 's/ -include [^ ]*cmake_pch\.hxx//g; s/ -fpch-preprocess//g; s/ -Winvalid-pch//g' \
  build/release/compile_commands.json >"$commands/compile_commands.json"
printf '%s\0' "${files[@]}" |
  xargs --null --max-args=1 --max-procs="$(nproc)" \
    clang-tidy -p "$commands" --quiet --extra-arg=-Wno-unknown-warning-option 2> >(grep --invert-match 'warnings generated' >&2)
