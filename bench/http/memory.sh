#!/usr/bin/env bash
# Measures what troupe holds in memory: for each idle connection, and while a million tasks are created; then kills it
# with SIGKILL and measures the restart.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/http/memory.sh [--connections N] [--tasks N] [--help]
  --connections N   idle keep-alive connections, each of which has been answered once (default 5000)
  --tasks N         tasks to create for 100,000 users (default 1000000); takes one to three minutes
  Builds what it needs; uses a temporary data directory and free loopback ports.
TEXT
}

connections=5000
tasks=1000000
while (($# > 0)); do
  case "$1" in
    --help) usage; exit 0 ;;
    --connections | --tasks)
      (($# > 1)) || { usage >&2; exit 2; }
      declare "${1#--}=$2"
      shift
      ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
# shellcheck source-path=SCRIPTDIR source=../../scripts/server.sh
source "$root/scripts/server.sh"
"$root/scripts/build.sh" release troupe http_load >&2
bin="$root/build/release"
work="$(mktemp --directory --tmpdir troupe-memory.XXXXXX)"
pid_file="$work/troupe.pid"
# shellcheck disable=SC2317  # called by the trap
clean_up() {
  stop_server "$pid_file" "$work/data" || true
  rm --recursive --force "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
ulimit -S -n "$(ulimit -H -n)"

port="$(free_port)"
ops_port="$(free_port)"
start_troupe() {
  "$bin/cli/troupe" serve --data "$work/data" --host 127.0.0.1 --port "$port" --ops-port "$ops_port" \
    --pid-file "$pid_file" >>"$work/log" 2>&1 &
  pid=$!
  echo "$pid" >"$pid_file"
}
# memory_kib FIELD: VmRSS or VmHWM of the server.
memory_kib() { awk -v field="$1:" '$1 == field { print $2 }' "/proc/$pid/status"; }

start_troupe
wait_ready "$ops_port" "$pid_file" "$work/log"

# A first set warms up what a loop keeps for good; only the second is measured.
open_and_ask() {
  local fd
  exec {fd}<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n' >&"$fd"
  read -r -u "$fd" _
  descriptors+=("$fd")
}
descriptors=()
for ((i = 0; i < 100; ++i)); do open_and_ask; done
before="$(memory_kib VmRSS)"
for ((i = 0; i < connections; ++i)); do open_and_ask; done
after="$(memory_kib VmRSS)"
printf '%-52s %10.1f KiB\n' "an idle keep-alive connection, $connections open" \
  "$(awk -v n="$connections" -v kib="$((after - before))" 'BEGIN { print kib / n }')"
for fd in "${descriptors[@]}"; do exec {fd}>&-; done

created=0
while ((created < tasks)); do
  "$bin/bench/http/http_load" --url "http://127.0.0.1:$port" --data "$work/data" --users 100000 --connections 200 \
    --seconds 10 --method POST --target /api/v1/tasks --body '{"title":"Water the plants","userId":"{user}"}' \
    --unique-key >"$work/load" 2>&1 || { cat "$work/load" >&2; exit 1; }
  created=$((created + $(sed 's/.*successes=\([0-9]*\).*/\1/' "$work/load")))
  printf '  %d tasks, resident memory %d MiB\n' "$created" "$(($(memory_kib VmRSS) / 1024))" >&2
done
printf '%-52s %10d MiB\n' "highest resident memory, $created tasks" "$(($(memory_kib VmHWM) / 1024))"

kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
start_ns="$(date +%s%N)"
start_troupe
until curl --silent --max-time 1 --output /dev/null "http://127.0.0.1:$port/api/v1/skus/none"; do sleep 0.01; done
printf '%-52s %10d ms\n' "kill -9, restart to first answer" "$((($(date +%s%N) - start_ns) / 1000000))"
