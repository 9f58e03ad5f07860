#!/usr/bin/env bash
# The simulator's program as its user meets it: exit codes, what it prints, what it says when it crashes.
# Usage: simulate_test.sh PATH-TO-TROUPE_SIMULATE
set -euo pipefail

simulate="$1"
program=("$1")
# shellcheck source-path=SCRIPTDIR source=../support/program_test.sh
source "$(dirname "${BASH_SOURCE[0]}")/../support/program_test.sh"

sound='seed=1 profile=mixed mutant=none clients=1 nodes=3 operations=1 faults=1 skip='
bug='seed=1 profile=lossy mutant=no_floor clients=1 nodes=3 operations=1 faults=1 skip='
# Without faults nobody is missing, and the floor is not needed.
hidden='seed=1 profile=lossy mutant=no_floor clients=1 nodes=3 operations=1 faults=0 skip='
printf '# a comment\n%s\n%s\n' "$sound" "$bug" >"$work/good"
printf '%s\n%s\n' "$sound" "$hidden" >"$work/hidden"
printf '%s\nnonsense\n' "$sound" >"$work/nonsense"
ends 0 '2 regressions replayed, 0 not as they should be' --regressions "$work/good"
ends 1 "does not find its bug any more: $hidden" --regressions "$work/hidden"
ends 1 '2 regressions replayed, 1 not as they should be' --regressions "$work/hidden"
ends 2 'not a run: nonsense' --regressions "$work/nonsense"
ends 2 'cannot read' --regressions "$work/none"
ends 2 'Usage: simulate' --mutant nobody
ends 1 'breaks I7' --replay "$bug"
ends 0 '"broken":[]' --seeds 20 --first 1 --json

# A crash names the seed that was running: the first line comes when the runs begin.
mkfifo "$work/pipe"
ulimit -c 0
"$simulate" --seeds 1000000 --first 7000000 --threads 1 >"$work/pipe" 2>"$work/out" &
child=$!
read -r banner <"$work/pipe"
[[ "$banner" == 'seeds 7000000 to 7999999' ]] || fail "it begins with: $banner"
# ... and with them the handler, which the kernel lists.
readonly abort_bit=0x20
until ((16#$(sed --quiet 's/^SigCgt:[[:space:]]*//p' "/proc/$child/status") & abort_bit)); do :; done
kill -s ABRT "$child"
code=0
wait "$child" 2>/dev/null || code=$?
((code == 134)) || fail "it ended with $code, not of SIGABRT"
grep --quiet --extended-regexp '^simulated seed: +70[0-9]{5}$' "$work/out" || fail "no seed was named"
echo "simulate behaves"
