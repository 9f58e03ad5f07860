#!/usr/bin/env bash
# `troupe verify` as its user meets it: exit codes, the sentence, JSON.
# Usage: verify_test.sh PATH-TO-TROUPE PATH-TO-MAKE_HISTORY
set -euo pipefail

make_history="$2"
program=("$1" verify)
# shellcheck source-path=SCRIPTDIR source=../../support/program_test.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../support/program_test.sh"

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
