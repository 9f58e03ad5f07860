#!/usr/bin/env bash
# The main job in one command: set up, build, start a server, sell 1,000 units to 10,000 buyers at once, check, stop.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/flash-sale.sh [--kill] [--cluster] [--keep] [FLASH-SALE OPTIONS]
  Starts a server on a fresh temporary data directory and free ports, runs `troupe flash-sale` against it, prints
  the report and stops the server. Exit code: that of the flash sale (0: every check held).
  --kill   kill -9 the server in the middle of the selling and start it again; lost answers are asked for again
  --cluster  sell over two fronts and three nodes with an etcd, and kill -9 the node that runs the SKU in the middle
  --keep   keep the data directory and the server's log, and say where they are
  Any other option goes to the flash sale: --buyers, --stock, --connections, --html FILE, --json …
  (scripts/flash-sale.sh --flash-sale-help lists them.)
TEXT
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
troupe="$root/build/release/cli/troupe"
kill_server=false
cluster=false
keep=false
show_help=false
options=()
for option in "$@"; do
  case "$option" in
    --help) usage; exit 0 ;;
    --kill) kill_server=true ;;
    --cluster) cluster=true ;;
    --keep) keep=true ;;
    --flash-sale-help) show_help=true ;;
    *) options+=("$option") ;;
  esac
done

# shellcheck source-path=SCRIPTDIR source=server.sh
source "$root/scripts/server.sh"

"$root/scripts/setup.sh"
"$root/scripts/build.sh" release troupe >&2
if [[ $show_help == true ]]; then
  exec "$troupe" flash-sale --help
fi

work="$(mktemp --directory --tmpdir troupe-flash-sale.XXXXXX)"
data="$work/data"
pid_file="$work/troupe.pid"
log="$work/troupe.log"

# shellcheck disable=SC2317  # called by the trap
clean_up() {
  if [[ -e "$work/cluster/urls" ]]; then "$root/scripts/cluster.sh" stop --data "$work/cluster" || true; fi
  stop_server "$pid_file" "$data" || true
  if [[ $keep == true ]]; then
    echo "data: $data, log: $log" >&2
  else
    rm --recursive --force "$work"
  fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# 10,000 connections are 10,000 open files, on both sides.
ulimit -S -n "$(ulimit -H -n)"

# The SKU's primary is killed in the middle, and started again a moment later.
sell_on_cluster() {
  local at="$work/cluster" primary
  "$root/scripts/cluster.sh" start --data "$at" >&2
  primary="$("$root/scripts/cluster.sh" where sku/flash-sale --data "$at")"
  echo "node $primary runs the SKU and is going to be killed" >&2
  # It stays away until the others have taken over, and is back before anything is stopped or removed.
  local status=0 deadline restart
  restart="$(printf '%q ' "$root/scripts/cluster.sh" restart "$primary" --data "$at")"
  "$troupe" flash-sale --url "$(paste --serial --delimiters=, "$at/urls")" --data "$at/keys" --sku flash-sale \
    --retry-lost --kill-at 0.05 --kill-server "$at/$primary.pid" \
    --restart-command "sleep 3; test -e $(printf '%q' "$at/urls") && $restart && touch $(printf '%q' "$at/restarted")" \
    "${options[@]}" || status=$?
  deadline=$((SECONDS + 20))
  while [[ -e "$at/$primary.pid.restart.log" && ! -e "$at/restarted" && $SECONDS -lt $deadline ]]; do sleep 0.05; done
  return "$status"
}

if [[ $cluster == true ]]; then
  status=0
  sell_on_cluster || status=$?
  [[ $status -eq 0 ]] || tail --lines=5 "$work/cluster"/*.log >&2
  exit "$status"
fi

port="$(free_port)"
ops_port="$(free_port)"
serve=("$troupe" serve --data "$data" --host 127.0.0.1 --port "$port" --ops-port "$ops_port" --pid-file "$pid_file")
"${serve[@]}" >>"$log" 2>&1 &
echo $! >"$pid_file"
disown # the shell is not to remark on a server that is killed on purpose
wait_ready "$ops_port" "$pid_file" "$log"

if [[ $kill_server == true ]]; then
  # Early enough to hit the selling: with ten buyers a unit, everything is sold when a tenth has its answer.
  options=(--retry-lost --kill-at 0.05 --kill-server "$pid_file"
    --restart-command "echo \$\$ >$(printf '%q' "$pid_file"); exec $(printf '%q ' "${serve[@]}") >>$(printf '%q' "$log") 2>&1" "${options[@]}")
fi

status=0
"$troupe" flash-sale --url "http://127.0.0.1:$port" --data "$data" "${options[@]}" || status=$?
if [[ $status -ne 0 && -s "$log" ]]; then
  echo "the server's log ends with:" >&2
  tail --lines=10 "$log" >&2
fi
exit "$status"
