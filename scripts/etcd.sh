#!/usr/bin/env bash
# An etcd of one's own on loopback, for tests and trials: its data, ports, pid and log are in one directory.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/etcd.sh start DIRECTORY | stop DIRECTORY
  start   starts one etcd with its data in DIRECTORY/data and prints its endpoint. A later start in the same
          directory uses the same ports. DIRECTORY/pid, DIRECTORY/endpoint and DIRECTORY/log are about it
  stop    ends it: SIGTERM, and SIGKILL after 5 s
  TROUPE_ETCD_ADDRESS (127.0.0.1) is where it listens.
  It ends by itself after TROUPE_ETCD_SECONDS seconds (600), so that a test that dies leaves nothing behind.
TEXT
}

case "${1:-}" in
  --help) usage; exit 0 ;;
  start | stop) [[ $# -eq 2 ]] || { usage >&2; exit 2; } ;;
  *) usage >&2; exit 2 ;;
esac
command="$1"
directory="$2"
address="${TROUPE_ETCD_ADDRESS:-127.0.0.1}"
# shellcheck source=scripts/server.sh
source "$(dirname "${BASH_SOURCE[0]}")/server.sh"

is_ours() { is_server "$1" "$directory/data"; }

# try PORT PEER_PORT: starts it and waits until it answers.
try() {
  local client="http://$address:$1" peer="http://$address:$2" deadline=$((SECONDS + 15))
  rm --force "$directory/pid"
  # The shell writes its pid and becomes etcd, so that the pid is etcd's and not that of timeout.
  # shellcheck disable=SC2016  # expanded by the inner shell
  timeout --kill-after=5 "${TROUPE_ETCD_SECONDS:-600}" \
    sh -c 'echo $$ >"$0/pid.new" && mv "$0/pid.new" "$0/pid" && exec etcd "$@"' "$directory" \
    --name=only --data-dir "$directory/data" --log-level=warn --logger=zap \
    "--listen-client-urls=$client" "--advertise-client-urls=$client" \
    "--listen-peer-urls=$peer" "--initial-advertise-peer-urls=$peer" "--initial-cluster=only=$peer" \
    --heartbeat-interval=50 --election-timeout=250 --auto-compaction-retention=1h \
    </dev/null >>"$directory/log" 2>&1 &
  until [[ "$(curl --silent --max-time 2 "$client/health")" == *true* ]]; do
    ((SECONDS < deadline)) || return 1
    [[ ! -s "$directory/pid" ]] || kill -0 "$(<"$directory/pid")" 2>/dev/null || return 1
    sleep 0.02
  done
  # Somebody else's etcd may sit on the port.
  is_ours "$(<"$directory/pid")"
}

start() {
  local port peer_port attempt
  if ! command -v etcd >/dev/null; then
    echo "etcd.sh: there is no etcd; scripts/setup.sh installs it" >&2
    return 1
  fi
  mkdir --parents "$directory/data"
  chmod 700 "$directory/data"
  for attempt in 1 2 3 4 5; do
    if [[ -s "$directory/ports" ]]; then
      read -r port peer_port <"$directory/ports"
    else
      port="$(free_port)"
      peer_port="$(free_port)"
    fi
    if [[ "$port" != "$peer_port" ]] && try "$port" "$peer_port"; then
      echo "$port $peer_port" >"$directory/ports"
      echo "http://$address:$port" | tee "$directory/endpoint"
      return 0
    fi
    stop
    # Peers are part of the data: other ports need another start from nothing.
    [[ -s "$directory/ports" ]] || rm --recursive --force "$directory/data"
    mkdir --parents "$directory/data"
    chmod 700 "$directory/data"
  done
  echo "etcd.sh: no etcd after $attempt attempts; its log ends with:" >&2
  tail --lines=10 "$directory/log" >&2
  return 1
}

stop() {
  local pid deadline=$((SECONDS + 5))
  [[ -s "$directory/pid" ]] || return 0
  pid="$(<"$directory/pid")"
  is_ours "$pid" || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  kill -CONT "$pid" 2>/dev/null || return 0 # it may have been stopped by a test
  while is_ours "$pid"; do
    ((SECONDS < deadline)) || kill -KILL "$pid" 2>/dev/null || true
    sleep 0.02
  done
}

"$command"
