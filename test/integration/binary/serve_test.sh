#!/usr/bin/env bash
# The binary as its user meets it: starts, answers, refuses bad data directories, drains, survives kill -9.
# Usage: serve_test.sh PATH-TO-TROUPE
set -euo pipefail

troupe="$1"
work="$(mktemp --directory --tmpdir troupe-binary.XXXXXX)"
data="$work/data"
pid=
# shellcheck disable=SC2317  # called by the trap
clean_up() {
  [[ -z "$pid" ]] || kill -KILL "$pid" 2>/dev/null || true
  rm --recursive --force "$work"
}
trap clean_up EXIT

fail() {
  echo "FAILED: $*" >&2
  [[ ! -f "$work/log" ]] || cat "$work/log" >&2
  exit 1
}

# start [OPTIONS]: runs `troupe serve` on free ports; sets pid, url and ops.
start() {
  rm --force "$work/pid" "$work/log"
  "$troupe" serve --data "$data" --port 0 --ops-port 0 --pid-file "$work/pid" "$@" >"$work/log" 2>&1 &
  pid=$!
  local deadline=$((SECONDS + 20))
  until grep --quiet --no-messages ' ready: ' "$work/log"; do
    kill -0 "$pid" 2>/dev/null || fail "the server ended while starting"
    ((SECONDS < deadline)) || fail "the server did not become ready"
    sleep 0.02
  done
  url="$(sed --quiet 's/.* ready: \(http[^ ]*\) .*/\1/p' "$work/log")"
  ops="$(sed --quiet 's/.*operations \(http[^ )]*\)).*/\1/p' "$work/log")"
  [[ -n "$url" && -n "$ops" ]] || fail "no ready line"
}

# refused TEXT OPTIONS: a start with these must end by itself, not with 0, and say TEXT.
refused() {
  local text="$1" code=0
  shift
  timeout 20 "$troupe" serve "$@" >"$work/refusal" 2>&1 || code=$?
  ((code != 0 && code != 124)) || fail "a start that must be refused ended with $code: $text"
  grep --quiet "$text" "$work/refusal" || { cat "$work/refusal" >&2; fail "the refusal does not say: $text"; }
}

stop() {
  kill -TERM "$pid"
  local code=0
  wait "$pid" || code=$?
  pid=
  ((code == 0)) || fail "SIGTERM ended the server with $code"
}

status_of() { curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' "$@"; }

start --shards 8
[[ "$(status_of "$url/health")" == 200 ]] || fail "/health"
[[ "$(status_of "$ops/readyz")" == 200 ]] || fail "/readyz"
[[ "$(status_of "$url/api/v1/skus/none")" == 404 ]] || fail "an unknown SKU is not 404"
[[ "$(status_of "$url/tasks/x")" == 404 ]] || fail "compat paths exist without --compat"
# Not --quiet: grep would leave at the first match, and the writer would fail at a closed pipe.
curl --silent "$ops/metrics" | grep '^troupe_journal_syncs_total' >/dev/null || fail "no journal metrics"
[[ "$(stat --format %a "$data/signing_keys.json")" == 600 ]] || fail "the key file is readable by others"
"$troupe" status --ops-url "$ops" | grep '^ready' >/dev/null || fail "troupe status"

refused 'in use by another process' --data "$data" --port 0 --ops-port 0

# A start that is refused makes no directory.
refused 'Address already in use' --data "$work/other" --port "${url##*:}" --ops-port 0
refused 'Address already in use' --data "$work/other" --port 0 --ops-port "${ops##*:}"
refused 'loopback' --data "$work/other" --port 0 --ops-port 0 --compat --host 0.0.0.0
refused 'not an IP address' --data "$work/other" --port 0 --ops-port 0 --address nowhere
refused 'pid file' --data "$work/other" --port 0 --ops-port 0 --pid-file "$work/none/pid"
refused 'data' --data '' --port 0 --ops-port 0
refused 'io-threads' --data "$work/other" --port 0 --ops-port 0 --io-threads 100000
refused 'shards' --data "$work/other" --port 0 --ops-port 0 --shards 5000
[[ ! -e "$work/other" ]] || fail "a refused start left a directory behind: $(find "$work/other")"

# Nor does one on a disk without room, neither a directory nor anything in one.
if ((EUID == 0)) && unshare --mount true 2>/dev/null; then
  # shellcheck disable=SC2016  # expanded by the inner shell
  unshare --mount bash -euo pipefail -c '
    mount -t tmpfs -o size=32m none "$1"
    mkdir "$1/empty"
    for at in new empty; do
      code=0
      timeout 20 "$2" serve --data "$1/$at" --port 0 --ops-port 0 >"$3" 2>&1 || code=$?
      ((code != 0 && code != 124)) || { echo "ended with $code"; exit 1; }
      grep --quiet "64 MiB free are needed" "$3" || { cat "$3"; exit 1; }
    done
    [[ "$(find "$1" -mindepth 1)" == "$1/empty" ]] || { find "$1"; exit 1; }
  ' - "$(mktemp --directory "$work/full.XXXXXX")" "$troupe" "$work/refusal" >&2 || fail "a start on a full disk"
fi

admin="$("$troupe" token --data "$data" --user 0190b1c0-0000-7000-8000-000000000001 --role admin | tail --lines=1)"
put() { # token, stock, more headers
  status_of --request PUT "$url/api/v1/skus/phone" --header "Authorization: Bearer $1" \
    --header 'Content-Type: application/json' --data '{"name":"Phone","stock":'"$2"'}' "${@:3}"
}
[[ "$(put "$admin" 5 --header 'If-Match: *')" == 412 ]] || fail "a PUT replaced what was not there"
[[ "$(put "$admin" 5 --header 'If-None-Match: *')" == 201 ]] || fail "a PUT that creates"
[[ "$(put "$admin" 6 --header 'If-None-Match: *')" == 412 ]] || fail "a PUT created what was there"
[[ "$(put "$admin" 5 --header 'If-Match: *')" == 200 ]] || fail "a PUT that replaces"
[[ "$(put "$admin" 6)" == 409 ]] || fail "a PUT changed the stock"
[[ "$(put "${admin}x" 5)" == 401 ]] || fail "a forged token is not 401"

"$troupe" flash-sale --url "$url" --data "$data" --buyers 300 --stock 100 --quantity 1 >"$work/sale" 2>&1 ||
  { cat "$work/sale" >&2; fail "the flash sale"; }

# What was acknowledged is there after SIGKILL.
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
start
[[ "$(curl --silent "$url/api/v1/skus/phone")" == *'"available":5'* ]] || fail "the SKU is gone after kill -9"
stop

echo 'troupe data format 99
shards 64' >"$work/FORMAT"
cp "$data/FORMAT" "$work/FORMAT.good"
before="$(find "$data" -type f -exec cksum {} + | sort)"
cp "$work/FORMAT" "$data/FORMAT"
refused 'run a newer troupe' --data "$data" --port 0 --ops-port 0
cp "$work/FORMAT.good" "$data/FORMAT"
[[ "$before" == "$(find "$data" -type f -exec cksum {} + | sort)" ]] || fail "a refused directory was touched"
refused '8 shards, not 64' --data "$data" --port 0 --ops-port 0 --shards 64

code=0
"$troupe" bogus >"$work/bogus" 2>&1 || code=$?
grep --quiet 'no command "bogus"' "$work/bogus" || fail "an unknown command is not named"
((code == 2)) || fail "an unknown command ended with $code"

start --compat
[[ "$(status_of --request POST "$url/tasks" --header 'Content-Type: application/json' \
  --data '{"title":"Paint","userId":"0190b1c0-0000-7000-8000-000000000009"}')" == 201 ]] || fail "compat POST /tasks"
[[ "$(curl --silent "$url/users/0190b1c0-0000-7000-8000-000000000009/notifications/unread-count")" == '{"unreadCount":1}' ]] ||
  fail "compat unread count"
stop
echo "the binary behaves"
