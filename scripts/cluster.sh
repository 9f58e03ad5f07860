#!/usr/bin/env bash
# A real cluster on this machine: etcd, nodes and fronts as processes, their data, logs and pids in one directory.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/cluster.sh COMMAND [--data DIR]
  start [--nodes 3] [--fronts 2] [--etcds 1] [--replicas 3] [--shards 16] [--zones a,b,c] [--keep-log] [--namespaces]
        [--small-disk MIB] [--links FILE]
                  starts etcd, nodes n1, n2, … and fronts f1, f2, …; comes back when all of them are ready. On the
                  DIR of a cluster that was stopped: starts that one again, as it was, with all its data; then without
                  the options that say what a new one is like.
                  --etcds: of how many members etcd is made; they are called m1, m2, …, and one that is alone etcd.
                  --zones: n1 is in the first, n2 in the second, and round again; `add` takes it too.
                  --namespaces: each in a network of its own (root only), so that `cut` works; etcd and what talks
                  to the fronts are in the namespace that DIR/hub names. --small-disk: n1's disk is a tmpfs of so
                  many MiB, which stays mounted after `stop`. --links: each has a loopback address of its own, and
                  others reach it through what stands between them: lines "NAME IP:PORT" of FILE for nodes, and
                  "etcd/NAME IP:PORT" for how each reaches etcd, one a member
  add             starts one more node, which gets its part of the copies; comes back when it is ready
  status [--json] which processes run, and who is the primary of which shard; --json: what `troupe status` says alone
  kill NAME       kill -9 a node, a front or a member of etcd
  restart NAME    starts it again on its data (kills it first when it runs)
  pause NAME      SIGSTOP: it neither works nor ends        resume NAME   SIGCONT
  cut A B         what A sends does not reach B any more; B may be etcd, which is all of its members
  unplug NAME     nothing reaches it, and nothing of it arrives                    heal   all of that is over
  logs            the end of every log
  stop            SIGTERM to all, fronts first; then etcd. Nothing is left running; the data stays, and `start` goes
                  on with it
  where ENTITY    the node that is the primary of an entity, e.g. where sku/phone
  DIR is ./cluster-data by default; DIR/urls lists the fronts' URLs, DIR/keys is the --data of `troupe token`.
  etcd ends by itself after a week, or TROUPE_ETCD_SECONDS.
  What starts or stops processes waits until another such command for the same cluster is over, up to 60 s.
TEXT
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
troupe="${TROUPE:-$root/build/release/cli/troupe}"
# shellcheck source-path=SCRIPTDIR source=server.sh
source "$root/scripts/server.sh"
# shellcheck source-path=SCRIPTDIR source=cluster_processes.sh
source "$root/scripts/cluster_processes.sh"
# shellcheck source-path=SCRIPTDIR source=cluster_network.sh
source "$root/scripts/cluster_network.sh"

[[ $# -ge 1 ]] || { usage >&2; exit 2; }
command="$1"
shift
[[ "$command" != --help ]] || { usage; exit 0; }

dir="cluster-data"
nodes=3
fronts=2
etcds=1
replicas=3
shards=16
node_words=()
zones=()
namespaces=false
small_disk=""
links=""
shape=() # options that say what a new cluster is like, as given
status_words=()
name=""
other=""
while [[ $# -gt 0 ]]; do
  case "$1" in
    --help) usage; exit 0 ;;
    --keep-log) node_words+=(--keep-log); shape+=("$1"); shift ;;
    --namespaces) namespaces=true; shape+=("$1"); shift ;;
    --json)
      [[ "$command" == status ]] || { echo "cluster.sh: --json is for status" >&2; exit 2; }
      status_words+=(--json)
      shift
      ;;
    --data | --nodes | --fronts | --etcds | --replicas | --shards | --small-disk | --zones | --links)
      [[ $# -ge 2 ]] || { echo "cluster.sh: $1 needs a value" >&2; exit 2; }
      [[ "$1" == --data ]] || shape+=("$1")
      case "$1" in
        --data) dir="$2" ;;
        --nodes) nodes="$2" ;;
        --fronts) fronts="$2" ;;
        --etcds) etcds="$2" ;;
        --replicas) replicas="$2" ;;
        --shards) shards="$2" ;;
        --small-disk) small_disk="$2" ;;
        --links) links="$2" ;;
        --zones) IFS=, read -r -a zones <<<"$2" ;;
      esac
      shift 2
      ;;
    -*) echo "cluster.sh: there is no option $1" >&2; usage >&2; exit 2 ;;
    *)
      [[ -z "$other" && (-z "$name" || "$command" == cut) ]] || { usage >&2; exit 2; }
      if [[ -z "$name" ]]; then name="$1"; else other="$1"; fi
      shift
      ;;
  esac
done
for number in "$nodes" "$fronts" "$etcds" "$replicas" "$shards" "${small_disk:-1}"; do
  [[ "$number" =~ ^[1-9][0-9]{0,3}$ ]] || { echo "cluster.sh: $number is no number above 0" >&2; exit 2; }
done
((replicas <= nodes)) || { echo "cluster.sh: $replicas replicas need at least as many nodes" >&2; exit 2; }

lock_wait_seconds=60

# lock: nobody else starts or stops processes of this cluster until this command is over. Whatever outlives the
# command must not have the descriptor, 9.
lock() {
  exec 9>"$dir/lock"
  flock --wait "$lock_wait_seconds" 9 || {
    echo "cluster.sh: another command is at work on the cluster in $dir; waited $lock_wait_seconds s for it" >&2
    exit 1
  }
}

need_running() {
  [[ -n "$name" ]] || { echo "cluster.sh: which one? e.g. cluster.sh $command n1" >&2; exit 2; }
  is_running "$name" || { echo "cluster.sh: $name does not run" >&2; exit 1; }
}

# new_process NAME WORDS…: chooses ports, writes NAME.command and starts it.
new_process() {
  local who="$1" role="$2" port ops_port link
  choose_ports "$who"
  read -r port ops_port <"$dir/$who.ports"
  [[ ! -s "$dir/hub" ]] || join_hub "$who"
  local words=("$troupe" "$role" --data "$dir/$who" --address "$(address_of "$who")" --port "$port"
    --ops-port "$ops_port" --etcd "$(etcd_urls_for "$who")" --cluster local)
  if [[ "$role" == node ]]; then
    words+=(--name "$who" --replicas "$replicas" --shards "$shards" "${node_words[@]}")
    link="$(links_to "$who")"
    [[ -z "$link" ]] || words+=(--advertise "$link")
    ((${#zones[@]} == 0)) || words+=(--zone "${zones[(${who#n} - 1) % ${#zones[@]}]}")
  else
    ln --symbolic --force --no-target-directory keys "$dir/$who"
    [[ ! -s "$dir/links" ]] || words+=(--link-address "$(address_of "$who")")
    echo "http://$(address_of "$who"):$port" >>"$dir/urls"
  fi
  printf '%s\n' "${words[@]}" >"$dir/$who.command"
  launch "$who"
}

ops_port_of() { cut --delimiter=' ' --fields=2 "$dir/$1.ports"; }

# start: a new cluster, or one that was stopped.
start() {
  [[ -e "$dir/urls" || -x "$troupe" ]] || {
    echo "cluster.sh: no $troupe; scripts/build.sh release troupe builds it" >&2
    exit 1
  }
  mkdir --parents "$dir"
  dir="$(cd "$dir" && pwd -P)"  # processes are known by it
  lock
  step="looking at $dir"
  if [[ -e "$dir/urls" ]]; then start_again; else start_new; fi
  step="waiting until all are ready"
  wait_all_ready
  trap - EXIT
  echo "$(names | grep --count '^n') nodes and $(names | grep --count '^f') fronts are ready:" \
    "$(paste --serial --delimiters=' ' "$dir/urls")"
}

# start_again: every process as it was; etcd keeps its ports by itself.
start_again() {
  local who
  for who in $(names); do
    is_running "$who" || continue
    echo "cluster.sh: the cluster in $dir runs; \`stop\` it, or \`restart NAME\` what does not, or use another --data" >&2
    exit 1
  done
  if ((${#shape[@]} > 0)); then
    echo "cluster.sh: the cluster in $dir was made already and starts as it was, without ${shape[*]}; for another one" \
      "use another --data" >&2
    exit 1
  fi
  trap 'abandon $? kept' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  "$root/scripts/etcd.sh" stop "$dir/etcd"
  if [[ -s "$dir/hub" ]]; then
    make_hub
    for who in $(names); do join_hub "$who"; done
  fi
  step="starting etcd"
  start_etcd
  step="starting the nodes and fronts"
  for who in $(names); do launch "$who"; done
}

start_new() {
  local i what
  # A start that fails removes what it has made, so it must not begin with what others have made.
  for what in etcd keys $(seq --format n%g "$nodes") $(seq --format f%g "$fronts") $(names); do
    [[ ! -e "$dir/$what" && ! -e "$dir/$what.command" ]] || { echo "cluster.sh: there is $what in $dir, and no cluster; use another --data" >&2; exit 1; }
  done
  trap 'abandon $? removed' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  : >"$dir/urls"
  [[ -z "$links" ]] || cp "$links" "$dir/links"
  step="making network namespaces"
  [[ "$namespaces" == false ]] || make_hub
  step="starting etcd"
  start_etcd "$etcds"
  step="starting the nodes"
  if [[ -n "$small_disk" ]]; then
    mkdir "$dir/n1"
    mount -t tmpfs -o "size=${small_disk}m,mode=700" troupe "$dir/n1"
  fi
  for ((i = 1; i <= nodes; i++)); do new_process "n$i" node; done
  mkdir "$dir/keys"
  chmod 700 "$dir/keys"
  # Before two fronts could each make one.
  step="making the signing key with $troupe"
  what="$("$troupe" token --data "$dir/keys" --user 00000000-0000-7000-8000-000000000001 2>&1)" || {
    echo "$what" >&2
    return 1
  }
  step="starting the fronts"
  for ((i = 1; i <= fronts; i++)); do new_process "f$i" front; done
}

# abandon CODE DATA: the end of a start that failed or was interrupted. Nothing runs on; of a new cluster nothing is
# kept but the logs (DATA: removed), so that the next start can begin, and of one that there was everything (DATA: kept).
# shellcheck disable=SC2317  # called by the trap
abandon() {
  trap - EXIT
  trap '' INT TERM
  echo "cluster.sh: the start has failed, or was interrupted, while $step; what it started is stopped" >&2
  sleep 0.2 # what has just been forked becomes what \`stop\` knows
  stop >&2 || true
  [[ "$2" == kept ]] || remove_new >&2 || true
  exit "$1"
}

# shellcheck disable=SC2317  # called by the trap
remove_new() {
  local who
  ! mountpoint --quiet "$dir/n1" || umount "$dir/n1"
  for who in $(names); do rm --recursive --force "${dir:?}/$who" "$dir/$who".{ports,command,pid}; done
  for who in $(etcd_names); do
    [[ ! -e "$(etcd_directory_of "$who")/log" ]] || mv "$(etcd_directory_of "$who")/log" "$dir/$who.log"
  done
  rm --recursive --force "${dir:?}/"{etcd,keys,n1,urls,hub,links}
}

# wait_all_ready: when a process ends meanwhile its log is what matters, whichever is waited for.
wait_all_ready() {
  local who other deadline=$((SECONDS + 30))
  for who in $(names); do
    until at "$who" curl --silent --fail --max-time 2 --output /dev/null \
      "http://127.0.0.1:$(ops_port_of "$who")/readyz"; do
      for other in $(names); do
        kill -0 "$(<"$dir/$other.pid")" 2>/dev/null || { tell_log "$other" "has ended while starting"; return 1; }
      done
      ((SECONDS <= deadline)) || { tell_log "$who" "did not become ready within 30 s"; return 1; }
      sleep 0.05
    done
  done
}

# tell_log NAME WHAT
tell_log() {
  echo "cluster.sh: $1 $2; its log ends with:" >&2
  tail --lines=10 "$dir/$1.log" >&2
}

# add: a node more, made like the first one.
add() {
  local who count words
  is_running n1 || { echo "cluster.sh: n1 does not run, and a node is added to a cluster that does" >&2; exit 1; }
  count="$(names | grep --count '^n')"
  who="n$((count + 1))"
  mapfile -t words <"$dir/n1.command"
  replicas="$(option_of --replicas "${words[@]}")"
  shards="$(option_of --shards "${words[@]}")"
  [[ " ${words[*]} " != *" --keep-log "* ]] || node_words=(--keep-log)
  new_process "$who" node
  if ! wait_ready "$(ops_port_of "$who")" "$dir/$who.pid" "$dir/$who.log" at "$who"; then
    ! is_running "$who" || signal "$who" KILL
    rm --force "$dir/$who".{ports,command,pid}
    exit 1
  fi
  echo "$who is ready"
}

# option_of OPTION WORDS…: the word behind it.
option_of() {
  local wanted="$1"
  shift
  while [[ "$1" != "$wanted" ]]; do shift; done
  echo "$2"
}

status() {
  local who state pid
  local words=("$troupe" status --etcd "$(<"$dir/etcd/endpoint")" --cluster local "${status_words[@]}")
  if ((${#status_words[@]} > 0)); then
    at hub "${words[@]}"
    return
  fi
  for who in $(etcd_names) $(names); do
    state="not running"
    if is_running "$who"; then
      pid="$(<"$(pid_file_of "$who")")"
      state="running, pid $pid"
      [[ "$(ps -o state= -p "$pid")" != T* ]] || state="paused, pid $pid"
    fi
    printf '%-4s %s\n' "$who" "$state"
  done
  at hub "${words[@]}"
}

# shellcheck disable=SC2317  # called by the trap too
stop() {
  local who pid deadline
  for who in $(names | sort); do # fronts before nodes
    is_running "$who" || continue
    pid="$(<"$dir/$who.pid")"
    kill -TERM "$pid" 2>/dev/null || continue
    kill -CONT "$pid" 2>/dev/null || true
  done
  deadline=$((SECONDS + 25))
  for who in $(names); do
    while is_running "$who"; do
      ((SECONDS < deadline)) || kill -KILL "$(<"$dir/$who.pid")" 2>/dev/null || true
      sleep 0.05
    done
  done
  "$root/scripts/etcd.sh" stop "$dir/etcd"
  remove_namespaces
}

# restart NAME
restart() {
  local has_been_made="$dir/$1.command"
  ! is_etcd_name "$1" || has_been_made="$(etcd_directory_of "$1")/ports"
  [[ -e "$has_been_made" ]] || { echo "cluster.sh: there is no $1" >&2; exit 1; }
  if is_running "$1"; then
    signal "$1" KILL
    while is_running "$1"; do sleep 0.02; done
  fi
  if is_etcd_name "$1"; then start_etcd; else launch "$1"; fi
}

case "$command" in
  start) start ;;
  *)
    [[ -e "$dir/urls" ]] || { echo "cluster.sh: there is no cluster in $dir; \`start\` one" >&2; exit 1; }
    dir="$(cd "$dir" && pwd -P)"  # processes are known by it
    case "$command" in
      status) status ;;
      stop) lock; stop ;;
      kill) need_running && signal "$name" KILL ;;
      pause) need_running && signal "$name" STOP ;;
      resume) need_running && signal "$name" CONT ;;
      restart) lock; restart "$name" ;;
      start-etcd) lock; start_etcd ;;
      add) lock; add ;;
      cut) cut_off "$name" "$other" ;;
      unplug) unplug "$name" ;;
      heal) heal ;;
      logs) tail --lines=15 "$dir"/*.log ;;
      where)
        [[ -n "$name" ]] || { echo "cluster.sh: which entity? e.g. cluster.sh where sku/phone" >&2; exit 2; }
        at hub "$troupe" status --etcd "$(<"$dir/etcd/endpoint")" --cluster local --entity "$name"
        ;;
      *) usage >&2; exit 2 ;;
    esac
    ;;
esac
