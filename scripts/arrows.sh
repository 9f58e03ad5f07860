#!/usr/bin/env bash
# Checks that no room includes what it must not know (the arrows of README.md). The targets' link lines say the same, but
# a header alone would slip through them.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/arrows.sh
  Prints each include that runs against the arrows between the rooms, and fails when there is one.
TEXT
}

case "${1:-}" in
  --help) usage; exit 0 ;;
  "") ;;
  *) usage >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
rooms='runtime|actors|cluster|http_front|cli|bench|test'
found=0

# check FOLDER PATTERN: of the project's own headers, files in FOLDER include only what matches PATTERN.
check() {
  local against
  against="$(git ls-files -z -- "$1/*.cpp" "$1/*.hpp" | xargs --null --no-run-if-empty \
    grep --with-filename --line-number --extended-regexp "#include \"($rooms)/" | grep --invert-match --extended-regexp "#include \"($2)" || true)"
  [[ -n "$against" ]] || return 0
  printf '%s\n' "$against" >&2
  found=1
}

# check_parts FOLDER PATTERN: files in FOLDER include no library header that matches PATTERN.
check_parts() {
  local against
  against="$(git ls-files -z -- "$1/*.cpp" "$1/*.hpp" | xargs --null --no-run-if-empty \
    grep --with-filename --line-number --extended-regexp "#include <($2)" || true)"
  [[ -n "$against" ]] || return 0
  printf '%s\n' "$against" >&2
  found=1
}

check runtime/base 'runtime/base/'
check runtime/entity 'runtime/(base|entity)/'
check runtime 'runtime/'
check actors '(runtime/(base|entity)|actors)/'
check cluster '(runtime|cluster)/'
check http_front '(runtime|cluster|http_front)/'
check_parts runtime/base 'caf|rocksdb|boost/(asio|beast)|httplib'
check_parts runtime/entity 'caf|rocksdb|boost/(asio|beast)|httplib'
check_parts actors 'caf|rocksdb|boost/(asio|beast|json)|httplib'
check_parts runtime 'boost/(asio|beast)|httplib'
check_parts http_front 'caf|rocksdb'

if ((found)); then
  echo "arrows: the includes above run against the arrows between the rooms" >&2
  exit 1
fi
