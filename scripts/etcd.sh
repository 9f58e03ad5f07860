#!/usr/bin/env bash
# An etcd of one's own on loopback, for tests and trials: its data, ports, pids and logs are in one directory.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/etcd.sh start DIRECTORY [MEMBERS] | leader DIRECTORY | stop DIRECTORY
  start   starts an etcd of so many members (1), and prints their URLs, separated by commas. A later start in the same
          directory starts those that do not run, with the data and the ports that they had
  leader  prints the name of the member that leads
  stop    ends all of them, one after the other: SIGTERM, and SIGKILL after 5 s
  DIRECTORY/endpoint has the URLs. A member's data, ports, pid and log are in DIRECTORY when it is the only one, and
  in DIRECTORY/m1, DIRECTORY/m2, … when there are several.
  TROUPE_ETCD_ADDRESS (127.0.0.1) is where they listen.
  Each ends by itself after TROUPE_ETCD_SECONDS seconds (600), so that a test that dies leaves nothing behind.
TEXT
}

fail() {
  echo "etcd.sh: $*" >&2
  exit 1
}

case "${1:-}" in
  --help) usage; exit 0 ;;
  start) [[ $# -eq 2 || $# -eq 3 ]] || { usage >&2; exit 2; } ;;
  leader | stop) [[ $# -eq 2 ]] || { usage >&2; exit 2; } ;;
  *) usage >&2; exit 2 ;;
esac
command="$1"
directory="$(realpath --canonicalize-missing --no-symlinks "$2")"
count="${3:-}"
[[ "$count" =~ ^[1-9]?$ ]] || { echo "etcd.sh: an etcd has 1 to 9 members, not $count" >&2; exit 2; }
address="${TROUPE_ETCD_ADDRESS:-127.0.0.1}"
# shellcheck source=scripts/server.sh
source "$(dirname "${BASH_SOURCE[0]}")/server.sh"

members=() # the directory of each
if [[ -d "$directory/m1" ]]; then
  members=("$directory"/m[1-9])
elif [[ -e "$directory/endpoint" || "${count:-1}" == 1 ]]; then
  members=("$directory")
else
  for ((i = 1; i <= count; i++)); do members+=("$directory/m$i"); done
fi
[[ "${count:-${#members[@]}}" == "${#members[@]}" ]] || fail "the etcd in $directory has ${#members[@]} members, not $count"

# name_of MEMBER
name_of() { if ((${#members[@]} == 1)); then echo only; else basename "$1"; fi; }

# url_of MEMBER client|peer
url_of() {
  local client peer
  read -r client peer <"$1/ports"
  echo "http://$address:${!2}"
}

is_running() { [[ -s "$1/pid" ]] && is_server "$(<"$1/pid")" "$1/data"; }

# prepare MEMBER: a directory for its data, and ports, when it has none yet.
prepare() {
  local port
  mkdir --parents "$1/data"
  chmod 700 "$1/data"
  [[ ! -s "$1/ports" ]] || return 0
  port="$(free_port_beside "${members[@]/%//ports}")"
  echo "$port" >"$1/ports"
  echo "$port $(free_port_beside "${members[@]/%//ports}")" >"$1/ports"
}

# launch MEMBER ALL: starts it in the background. ALL: who the members are, as etcd is told.
launch() {
  local client peer
  client="$(url_of "$1" client)"
  peer="$(url_of "$1" peer)"
  local timing=(--heartbeat-interval=50 --election-timeout=250)
  # Several share a disk and a few cores, and one that waits for them is not dead.
  ((${#members[@]} == 1)) || timing=(--heartbeat-interval=100 --election-timeout=1000)
  rm --force "$1/pid"
  # The shell writes its pid and becomes etcd, so that the pid is etcd's and not that of timeout.
  # shellcheck disable=SC2016  # expanded by the inner shell
  timeout --kill-after=5 "${TROUPE_ETCD_SECONDS:-600}" \
    sh -c 'echo $$ >"$0/pid.new" && mv "$0/pid.new" "$0/pid" && exec etcd "$@"' "$1" \
    --name="$(name_of "$1")" --data-dir "$1/data" --log-level=warn --logger=zap \
    "--listen-client-urls=$client" "--advertise-client-urls=$client" \
    "--listen-peer-urls=$peer" "--initial-advertise-peer-urls=$peer" "--initial-cluster=$2" \
    "${timing[@]}" --auto-compaction-retention=1h </dev/null >>"$1/log" 2>&1 &
}

# await_health MEMBER DEADLINE: until it answers, which it does when it has a leader.
await_health() {
  local client
  client="$(url_of "$1" client)"
  until [[ "$(curl --silent --max-time 2 "$client/health")" == *true* ]]; do
    ((SECONDS < $2)) || return 1
    [[ ! -s "$1/pid" ]] || kill -0 "$(<"$1/pid")" 2>/dev/null || return 1
    sleep 0.02
  done
  # Somebody else's etcd may sit on the port.
  is_running "$1"
}

started=() # in this attempt

# try: starts what does not run, and waits until it answers.
try() {
  local member all="" deadline=$((SECONDS + 15))
  started=()
  for member in "${members[@]}"; do
    prepare "$member"
    all+="${all:+,}$(name_of "$member")=$(url_of "$member" peer)"
  done
  for member in "${members[@]}"; do
    is_running "$member" || { launch "$member" "$all" && started+=("$member"); }
  done
  for member in "${started[@]}"; do await_health "$member" "$deadline" || return 1; done
}

start() {
  local attempt member urls=""
  command -v etcd >/dev/null || fail "there is no etcd; scripts/setup.sh installs it"
  for attempt in 1 2 3 4 5; do
    if try; then
      for member in "${members[@]}"; do urls+="${urls:+,}$(url_of "$member" client)"; done
      echo "$urls" | tee "$directory/endpoint"
      return 0
    fi
    end "${started[@]}"
    # Peers are part of the data: other ports need another start from nothing.
    [[ -e "$directory/endpoint" ]] || rm --recursive --force "${members[@]/%//data}" "${members[@]/%//ports}"
  done
  echo "etcd.sh: no etcd after $attempt attempts; its logs end with:" >&2
  tail --lines=10 "${members[@]/%//log}" >&2
  return 1
}

leader() {
  local i status urls=() deadline=$((SECONDS + 5))
  [[ -s "$directory/endpoint" ]] || fail "there is no etcd in $directory"
  IFS=, read -r -a urls <"$directory/endpoint"
  while ((SECONDS < deadline)); do
    for i in "${!members[@]}"; do
      status="$(curl --silent --max-time 1 --data '{}' "${urls[i]}/v3/maintenance/status")" || continue
      if [[ "$status" =~ \"member_id\":\"([0-9]+)\" && "$status" == *"\"leader\":\"${BASH_REMATCH[1]}\""* ]]; then
        name_of "${members[i]}"
        return 0
      fi
    done
    sleep 0.05
  done
  fail "the etcd in $directory has no leader"
}

# end MEMBER…: one after the other, as a leader that ends waits until another member has taken over.
end() {
  local member deadline
  # They may have been stopped by a test.
  for member in "$@"; do ! is_running "$member" || kill -CONT "$(<"$member/pid")" 2>/dev/null || true; done
  for member in "$@"; do
    deadline=$((SECONDS + 5))
    ! is_running "$member" || kill -TERM "$(<"$member/pid")" 2>/dev/null || true
    while is_running "$member"; do
      ((SECONDS < deadline)) || kill -KILL "$(<"$member/pid")" 2>/dev/null || true
      sleep 0.02
    done
  done
}

stop() { end "${members[@]}"; }

"$command"
