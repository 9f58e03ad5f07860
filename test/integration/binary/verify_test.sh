#!/usr/bin/env bash
# `troupe verify` as its user meets it: exit codes, the sentence, JSON.
# Usage: verify_test.sh PATH-TO-TROUPE PATH-TO-MAKE_HISTORY
set -euo pipefail

troupe="$1"
make_history="$2"
work="$(mktemp --directory --tmpdir troupe-verify.XXXXXX)"
trap 'rm --recursive --force "$work"' EXIT

fail() {
  echo "FAILED: $*" >&2
  [[ ! -f "$work/out" ]] || cat "$work/out" >&2
  exit 1
}

# ends CODE TEXT ARGUMENTS: verify must end with that code and say that.
ends() {
  local expected="$1" text="$2" code=0
  shift 2
  "$troupe" verify "$@" >"$work/out" 2>&1 || code=$?
  ((code == expected)) || fail "verify $* ended with $code, not $expected"
  grep --quiet --fixed-strings -- "$text" "$work/out" || fail "verify $* does not say: $text"
}

"$make_history" "$work/good" 5000
"$make_history" "$work/lossy" 5000 lossy
ends 0 'The history is legal.' "$work/good"
ends 0 '"holds":true' "$work/good" --json
ends 1 'acknowledged and lost, no committed entry has it: client ' "$work/lossy"
ends 1 '"holds":false' "$work/lossy" --json
ends 2 'cannot read' "$work/none"
mkdir "$work/clients"
cp "$work/good"/* "$work/clients"
rm "$work/clients"/replica-*
ends 2 'no replica'"'"'s log is in it' "$work/clients"
ends 0 'The history is legal.' "$work/clients" --clients-only
truncate --size=-1 "$work/good/operations-1"
ends 2 'damaged or cut off' "$work/good"
ends 2 'history is required'
echo "verify behaves"
