#!/usr/bin/env bash
# A cluster as its user meets it: three nodes and two fronts as processes with an etcd. A primary is killed in the
# middle of a sale, another one frozen, one restarted in peace; nothing is lost, doubled or refused.
# Usage: cluster_test.sh PATH-TO-TROUPE SOURCE-DIRECTORY
set -euo pipefail

export TROUPE="$1"
cluster="$2/scripts/cluster.sh"
work="$(mktemp --directory --tmpdir troupe-cluster.XXXXXX)"
at="$work/cluster"
other="" # a process that belongs to no cluster here
export TROUPE_ETCD_SECONDS=300
# shellcheck disable=SC2317  # called by the trap
clean_up() {
  local started
  [[ -z "$other" ]] || kill "$other" 2>/dev/null || true
  for started in "$at" "$at-one"; do
    [[ ! -e "$started/urls" ]] || "$cluster" stop --data "$started" >/dev/null 2>&1 || true
  done
  rm --recursive --force "$work"
}
trap clean_up EXIT

fail() {
  echo "FAILED: $*" >&2
  tail --lines=25 "$at"/*.log >&2 || true
  exit 1
}

# sale SKU OPTIONS: a small sale over both fronts; every check must hold.
sale() {
  local sku="$1"
  shift
  "$TROUPE" flash-sale --url "$(paste --serial --delimiters=, "$at/urls")" --data "$at/keys" --sku "$sku" \
    --buyers 600 --stock 100 --connections 100 --retry-lost "$@" >"$work/report" 2>&1 ||
    { cat "$work/report" >&2; fail "the sale of $sku"; }
  grep --quiet 'Every check held' "$work/report" || fail "the report of $sku"
}

# wait_whole: until every shard has all its copies again.
wait_whole() {
  local deadline=$((SECONDS + 60))
  until "$TROUPE" status --etcd "$(<"$at/etcd/endpoint")" --cluster local >"$work/status"; do
    ((SECONDS < deadline)) || { cat "$work/status" >&2; fail "not whole again within 60 s"; }
    sleep 0.1
  done
}

# wait_ended NODE: its process has been told to stop.
wait_ended() {
  local pid deadline=$((SECONDS + 30))
  pid="$(<"$at/$1.pid")"
  while kill -0 "$pid" 2>/dev/null; do
    ((SECONDS < deadline)) || fail "$1 does not stop"
    sleep 0.05
  done
}

# refused TEXT WORDS: a process that must end by itself, not with 0, and say TEXT.
refused() {
  local text="$1" code=0
  shift
  timeout 30 "$@" >"$work/refusal" 2>&1 || code=$?
  ((code != 0 && code != 124)) || fail "what must be refused ended with $code: $text"
  grep --quiet "$text" "$work/refusal" || { cat "$work/refusal" >&2; fail "the refusal does not say: $text"; }
}

# Where no etcd is: what it waits for, how long, and that SIGTERM ends it.
nobody=(--ops-port 0 --etcd http://127.0.0.1:1 --wait-seconds)
refused 'waited 1 s in vain for etcd at http://127.0.0.1:1: no connection' "$TROUPE" node --name x --data "$work/x" \
  --port 20001 "${nobody[@]}" 1
refused 'waited 1 s in vain for cluster troupe in etcd at http://127.0.0.1:1: no connection' "$TROUPE" front \
  --data "$work/keys" --port 0 "${nobody[@]}" 1
refused 'asked to end before it had started' timeout --preserve-status 2 \
  "$TROUPE" node --name x --data "$work/x" --port 20001 "${nobody[@]}" 60
refused 'asked to end before it had started' timeout --preserve-status 2 \
  "$TROUPE" front --data "$work/keys" --port 0 "${nobody[@]}" 60

# Addresses and ports that will not do are refused before anything else; there is no directory then.
for address in 0.0.0.0 :: 8.8.8.8; do
  refused "address: $address is neither a loopback nor a private address" "$TROUPE" node --name x \
    --data "$work/nothing" --address "$address" --port 20001 "${nobody[@]}" 1
done
for address in '' localhost; do
  refused "address: \"$address\" is no IP address" "$TROUPE" node --name x --data "$work/nothing" \
    --address "$address" --port 20001 "${nobody[@]}" 1
done
refused '"foo" is no IP:PORT' "$TROUPE" node --name x --data "$work/nothing" --advertise foo --port 20001 "${nobody[@]}" 1
refused '"foo" is no IP address' "$TROUPE" front --data "$work/nothing" --link-address foo --port 0 "${nobody[@]}" 1
[[ ! -e "$work/nothing" ]] || fail "what was refused has made a data directory"

# A start that fails says why, and is in nobody's way.
TROUPE=/bin/false refused 'failed, or was interrupted, while making the signing key' "$cluster" start --data "$at"
pgrep --full -- "$at" >/dev/null && fail "something of a cluster that did not start runs"

"$cluster" start --data "$at" --shards 8 >/dev/null
etcd="$(<"$at/etcd/endpoint")"
wait_whole

# Who does not belong here.
refused 'Address already in use' "$TROUPE" node --name x --data "$work/x" \
  --port "$(cut --delimiter=' ' --fields=1 "$at/n1.ports")" --ops-port 0 --etcd "$etcd" --cluster local
refused 'the count never changes' "$TROUPE" node --name x --data "$work/x" --port 20001 --ops-port 0 \
  --etcd "$etcd" --cluster local --shards 4
mkdir "$work/served"
touch "$work/served/authority"
refused 'belongs to .troupe serve.' "$TROUPE" node --name n9 --data "$work/served" --port 20001 --ops-port 0 \
  --etcd "$etcd" --cluster local

# An older copy of a node's disk: the node has been started since.
kill -TERM "$(<"$at/n1.pid")"
wait_ended n1
cp --recursive "$at/n1" "$work/older"
"$cluster" restart n1 --data "$at"
wait_whole
kill -TERM "$(<"$at/n1.pid")"
wait_ended n1
refused "is an older copy, or another one has been in its place" "$TROUPE" node --name n1 --data "$work/older" --port 20001 --ops-port 0 \
  --etcd "$etcd" --cluster local --shards 8
# An operator says that nothing is missing on it; from then on it is the node's disk, and the other one is not.
"$TROUPE" node --name n1 --data "$work/older" --port 20001 --ops-port 0 \
  --etcd "$etcd" --cluster local --shards 8 --trust-disk >"$work/trusted.log" 2>&1 &
echo "$!" >"$at/n1.pid"
deadline=$((SECONDS + 30))
until grep --quiet 'node n1 is member' "$work/trusted.log"; do
  ((SECONDS < deadline)) || { cat "$work/trusted.log" >&2; fail "a trusted disk does not start"; }
  sleep 0.05
done
kill -TERM "$(<"$at/n1.pid")"
wait_ended n1
refused "is an older copy, or another one has been in its place" "$TROUPE" node --name n1 --data "$at/n1" --port 20001 --ops-port 0 \
  --etcd "$etcd" --cluster local --shards 8
rm --recursive "${at:?}/n1"
mv "$work/older" "$at/n1"
mv "$at/n1/member" "$work/member"
refused "its file .member., which says whose, is missing" "$TROUPE" node --name n1 --data "$at/n1" --port 20001 --ops-port 0 \
  --etcd "$etcd" --cluster local --shards 8
mv "$work/member" "$at/n1/member"
refused 'belongs to cluster' "$TROUPE" node --name n1 --data "$at/n1" --port 20001 --ops-port 0 \
  --etcd "$etcd" --cluster other --shards 8
"$cluster" restart n1 --data "$at"
wait_whole

# Killed in the middle, and back with its old disk.
primary="$("$cluster" where sku/first --data "$at")"
sale first --kill-at 0.1 --kill-server "$at/$primary.pid" \
  --restart-command "$(printf '%q ' "$cluster" restart "$primary" --data "$at")"
wait_whole
[[ "$("$cluster" where sku/first --data "$at")" != "$primary" ]] || fail "the killed primary is the primary still"

# Frozen: it neither answers nor ends.
primary="$("$cluster" where sku/second --data "$at")"
"$cluster" pause "$primary" --data "$at"
sale second
"$cluster" resume "$primary" --data "$at"
wait_whole

# Stopped in peace, and back with an empty disk.
primary="$("$cluster" where sku/third --data "$at")"
kill -TERM "$(<"$at/$primary.pid")"
sale third
wait_ended "$primary"
grep --quiet 'is handed over' "$at/$primary.log" || fail "$primary did not hand its shards over"
refused "belongs to the node .$primary." "$TROUPE" node --name n9 --data "$at/$primary" --port 20001 --ops-port 0 \
  --etcd "$etcd" --cluster local
rm --recursive "${at:?}/$primary"
"$cluster" restart "$primary" --data "$at"
wait_whole
sale fourth

# One node more gets its part of the copies, with buyers at work.
"$cluster" add --data "$at" >/dev/null
sale fifth
deadline=$((SECONDS + 90))
# Eight shards, three copies each: six on each of four nodes.
until [[ "$("$cluster" status --data "$at" | awk '$1 ~ /^n[1-4]$/ && NF == 6 && $6 == 6' | wc --lines)" == 4 ]]; do
  ((SECONDS < deadline)) || { "$cluster" status --data "$at" >&2; fail "the copies are not spread over four nodes"; }
  sleep 0.2
done
wait_whole
sale sixth

# Two restarts at once: one waits for the other, and there is one process.
"$cluster" restart n4 --data "$at" &
other=$!
"$cluster" restart n4 --data "$at"
wait "$other" || fail "one of two restarts"
other=""
[[ "$(pgrep --full --count -- "node --data $at/n4 ")" == 1 ]] || fail "two restarts at once started two processes"
wait_whole

# A front that reaches no node says so: to who asks for something, and to who asks whether it is ready.
for node in n1 n2 n3 n4; do "$cluster" kill "$node" --data "$at"; done
front="$(head --lines=1 "$at/urls")"
user=00000000-0000-7000-8000-000000000009
token="$("$TROUPE" token --data "$at/keys" --user "$user" 2>/dev/null | tail --lines=1)"
code="$(curl --silent --max-time 30 --dump-header "$work/headers" --output "$work/body" --write-out '%{http_code}' \
  --header "Authorization: Bearer $token" "$front/api/v1/skus/first")"
[[ "$code" == 503 ]] || fail "a front without nodes answers $code: $(<"$work/body")"
grep --quiet --ignore-case '^Retry-After: [0-9]' "$work/headers" || fail "its 503 has no Retry-After"
ready="$(curl --silent --max-time 5 "http://127.0.0.1:$(cut --delimiter=' ' --fields=2 "$at/f1.ports")/readyz")"
grep --quiet 'no node can be reached' <<<"$ready" || fail "its /readyz says: $ready"
for node in n1 n2 n3 n4; do "$cluster" restart "$node" --data "$at"; done
wait_whole
sale seventh

# One copy: nobody takes anything over, and so nothing is waited for. What is on the disk is there again. Its etcd has
# three members.
"$cluster" start --data "$at-one" --nodes 1 --fronts 1 --replicas 1 --etcds 3 >/dev/null
deadline=$((SECONDS + 8)) # it may drain for 10 s
kill -TERM "$(<"$at-one/n1.pid")"
until grep --quiet 'stopped as the primary of 16 shards that no other node took over' "$at-one/n1.log"; do
  ((SECONDS < deadline)) || { cat "$at-one/n1.log" >&2; fail "a node that is alone does not end soon"; }
  sleep 0.1
done
"$cluster" stop --data "$at-one"
refused 'was made already' "$cluster" start --data "$at-one" --shards 4
"$cluster" start --data "$at-one" >/dev/null
refused 'runs' "$cluster" start --data "$at-one"
lag() {
  { "$cluster" status --json --data "$at-one" || true; } | grep --only-matching '"lagEntries":{"n1":[^}]*}' | sort --unique
}
[[ "$(lag)" == '"lagEntries":{"n1":0}' ]] || fail "the only copy is behind itself: $(lag)"
# Nobody misses one of etcd's members, whichever it is.
for member in m1 m2 m3; do
  "$cluster" kill "$member" --data "$at-one"
  "$cluster" status --data "$at-one" >"$work/status" || true
  grep --quiet "^$member *not running" "$work/status" || { cat "$work/status" >&2; fail "$member is killed and runs"; }
  "$cluster" restart n1 --data "$at-one"
  deadline=$((SECONDS + 20))
  until [[ "$(lag)" == '"lagEntries":{"n1":0}' ]]; do
    ((SECONDS < deadline)) || fail "without $member of etcd a node does not start"
    sleep 0.1
  done
  "$cluster" restart "$member" --data "$at-one"
done
# Somebody else answers where the node's operations port was.
"$cluster" kill n1 --data "$at-one"
"$TROUPE" node --name n2 --data "$work/other" --port 20001 --etcd "$(<"$at-one/etcd/endpoint")" --cluster other \
  --replicas 1 --ops-port "$(cut --delimiter=' ' --fields=2 "$at-one/n1.ports")" >"$work/other.log" 2>&1 &
other=$!
deadline=$((SECONDS + 20))
until grep --quiet --no-messages 'node n2 is member' "$work/other.log"; do
  ((SECONDS < deadline)) || { cat "$work/other.log" >&2; fail "no node of another cluster"; }
  sleep 0.05
done
seen="$(lag)"
kill "$other"
other=""
[[ "$seen" == '"lagEntries":{"n1":null}' ]] || fail "another node's figures are shown as its own: $seen"
"$cluster" stop --data "$at-one"

"$cluster" stop --data "$at"
pgrep --full -- "$at" >/dev/null && fail "something of the cluster still runs"
grep --with-filename 'invariant broken' "$at"/*.log && fail "a process ended over an invariant"
exit 0
