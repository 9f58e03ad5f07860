#!/usr/bin/env bash
# Runs clang-tidy over a dozen sources: those that changed, and others in turn.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/tidy.sh [--all | FILE...]
  Without arguments: a dozen .cpp files, one or two minutes on two cores. First those that differ from the main
  branch (on it: from the commit before), then others; which ones depends on the commit alone.
  --all   every .cpp file; takes a quarter of an hour
TEXT
}

files_max=12
cd "$(dirname "${BASH_SOURCE[0]}")/.."

changed_files() {
  local base=HEAD~1 branch
  for branch in origin/main main; do
    if git rev-parse --quiet --verify "$branch" >/dev/null && [[ "$(git rev-parse "$branch")" != "$(git rev-parse HEAD)" ]]; then
      base="$(git merge-base "$branch" HEAD)"
      break
    fi
  done
  # A shallow clone has no commit before.
  git diff --name-only --diff-filter=d "$base" -- '*.cpp' 2>/dev/null || true
}

# The input in an order that every machine gives for this commit, and another commit otherwise.
shuffled() { shuf --random-source=<(yes "$(git rev-parse HEAD)"); }

case "${1:-}" in
  --help) usage; exit 0 ;;
  --all) mapfile -t files < <(git ls-files '*.cpp') ;;
  -*) usage >&2; exit 2 ;;
  "")
    mapfile -t changed < <(changed_files | shuffled)
    mapfile -t files < <({
      ((${#changed[@]} == 0)) || printf '%s\n' "${changed[@]}"
      git ls-files '*.cpp' | shuffled
    } | awk '!seen[$0]++' | sed "${files_max}q")
    echo "tidy: ${#files[@]} files, ${#changed[@]} have changed (--all looks at every file)"
    printf '  %s\n' "${files[@]}"
    ;;
  *) files=("$@") ;;
esac

[[ -f build/release/compile_commands.json ]] || cmake --preset release >/dev/null
# The commands are written for g++: its precompiled headers and its own options mean nothing to clang.
commands="$(mktemp --directory)"
trap 'rm --recursive --force "$commands"' EXIT
sed --regexp-extended 's/ -include [^ ]*cmake_pch\.hxx//g; s/ -fpch-preprocess//g; s/ -Winvalid-pch//g' \
  build/release/compile_commands.json >"$commands/compile_commands.json"
printf '%s\0' "${files[@]}" |
  xargs --null --max-args=1 --max-procs="$(nproc)" \
    clang-tidy -p "$commands" --quiet --extra-arg=-Wno-unknown-warning-option 2> >(grep --invert-match 'warnings\? generated' >&2)
