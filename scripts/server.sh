# shellcheck shell=bash
# A troupe server of one's own for a script: free ports, start, wait, stop. To be sourced. The functions end only
# the process that the server's own pid file names, and only while it is the one that was started here.

# Prints a free TCP port of the loopback address, outside the range that outgoing connections are given.
free_port() { free_port_beside /dev/null; }

# free_port_beside FILE…: one that is in none of the files either: those in them may not have been bound yet. A file
# need not be there.
free_port_beside() {
  local port hex taken
  taken="$(cat "$@" 2>/dev/null || true)"
  for _ in $(seq 100); do
    port=$((20000 + RANDOM % 12000))
    ! grep --word-regexp "$port" <<<"$taken" >/dev/null || continue
    hex="$(printf ':%04X ' "$port")"
    # Not --quiet: grep would leave at the first match, and with pipefail the closed pipe would count as no match.
    if ! cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep --fixed-strings "$hex" >/dev/null; then
      echo "$port"
      return 0
    fi
  done
  echo "no free port found" >&2
  return 1
}

# is_server PID DATA: whether that process is a server on that data directory.
is_server() {
  { tr '\0' '\n' <"/proc/$1/cmdline"; } 2>/dev/null | grep --line-regexp --fixed-strings "$2" >/dev/null
}

# wait_ready OPS_PORT PID_FILE LOG [WORDS…]: until the server says that it is ready. WORDS: before curl, as `ip netns exec N`.
wait_ready() {
  local deadline=$((SECONDS + 30))
  until "${@:4}" curl --silent --fail --max-time 2 --output /dev/null "http://127.0.0.1:$1/readyz"; do
    if ((SECONDS > deadline)); then
      echo "the server did not become ready within 30 s; its log ends with:" >&2
      tail --lines=20 "$3" >&2
      return 1
    fi
    if [[ -s "$2" ]] && ! kill -0 "$(<"$2")" 2>/dev/null; then
      echo "the server ended while starting; its log ends with:" >&2
      tail --lines=20 "$3" >&2
      return 1
    fi
    sleep 0.05
  done
}

# stop_server PID_FILE DATA: SIGTERM, and SIGKILL when it has not drained after 20 s.
stop_server() {
  local pid deadline=$((SECONDS + 20))
  [[ -s "$1" ]] || return 0
  pid="$(<"$1")"
  is_server "$pid" "$2" || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  while is_server "$pid" "$2"; do
    if ((SECONDS > deadline)); then
      echo "the server did not stop within 20 s and is killed" >&2
      kill -KILL "$pid" 2>/dev/null || true
      return 1
    fi
    sleep 0.05
  done
}
