#!/usr/bin/env bash
# Formats every C++ file of the project, or says which are not formatted.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/format.sh [--check]
  --check   change nothing; fail and name the files that are not formatted
TEXT
}

check=false
case "${1:-}" in
  --help) usage; exit 0 ;;
  --check) check=true ;;
  "") ;;
  *) usage >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
sources() { git ls-files --cached --others --exclude-standard -z -- '*.cpp' '*.hpp'; }

if [[ $check == false ]]; then
  sources | xargs --null --no-run-if-empty clang-format -i
  exit 0
fi
unformatted="$({ sources | xargs --null --no-run-if-empty clang-format --dry-run --Werror 2>&1 || true; } |
  sed --quiet --regexp-extended 's/^([^:]+):[0-9]+:[0-9]+: error: .*/\1/p' | sort --unique)"
[[ -z "$unformatted" ]] && exit 0
echo "not formatted (scripts/format.sh does it):" >&2
printf '  %s\n' "$unformatted" | sed 's/^\([^ ]\)/  \1/' >&2
exit 1
