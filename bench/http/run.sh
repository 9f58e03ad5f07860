#!/usr/bin/env bash
# Measures troupe over HTTP against a bare Beast responder: same machine, same client, turn by turn in one run.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/http/run.sh [--repetitions N] [--seconds S] [--threads N] [--burst N] [--json] [--keep] [--help]
  --repetitions N   turns of bare responder and troupe; medians are printed (default 5)
  --seconds S       measured time of each load (default 3)
  --threads N       I/O threads of the bare responder (default 1)
  --burst N         connections of the burst (default 10000)
  --json            one JSON object on stdout instead of the table
  --keep            keep the data directory, the server's log and the raw figures, and say where they are
  Builds what it needs, starts both servers on free loopback ports and stops them. About 2.5 minutes by default.
TEXT
}

repetitions=5
seconds=3
threads=1
burst=10000
json=false
keep=false
while (($# > 0)); do
  case "$1" in
    --help) usage; exit 0 ;;
    --json) json=true ;;
    --keep) keep=true ;;
    --repetitions | --seconds | --threads | --burst)
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
# shellcheck source-path=SCRIPTDIR source=median.sh
source "$root/bench/http/median.sh"
"$root/scripts/build.sh" release troupe bare_responder http_load >&2
bin="$root/build/release"
load="$bin/bench/http/http_load"

work="$(mktemp --directory --tmpdir troupe-bench.XXXXXX)"
data="$work/data"
pid_file="$work/troupe.pid"
log="$work/troupe.log"
raw="$work/figures"
bare_pid=

# shellcheck disable=SC2317  # called by the trap
clean_up() {
  [[ -z "$bare_pid" ]] || kill -TERM "$bare_pid" 2>/dev/null || true
  stop_server "$pid_file" "$data" || true
  if [[ $keep == true ]]; then
    echo "data, log and raw figures: $work" >&2
  else
    rm --recursive --force "$work"
  fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

start_servers() {
  local port ops_port bare_port
  ulimit -S -n "$(ulimit -H -n)"
  port="$(free_port)"
  ops_port="$(free_port)"
  "$bin/cli/troupe" serve --data "$data" --host 127.0.0.1 --port "$port" --ops-port "$ops_port" \
    --pid-file "$pid_file" >"$log" 2>&1 &
  troupe_pid=$!
  echo "$troupe_pid" >"$pid_file"
  wait_ready "$ops_port" "$pid_file" "$log"
  troupe_url="http://127.0.0.1:$port"

  bare_port="$(free_port)"
  "$bin/bench/http/bare_responder" --port "$bare_port" --threads "$threads" &
  bare_pid=$!
  bare_url="http://127.0.0.1:$bare_port"
  until curl --silent --max-time 1 --output /dev/null "$bare_url"; do
    kill -0 "$bare_pid" || exit 2
    sleep 0.05
  done
  admin_token="$("$bin/cli/troupe" token --data "$data" --user 00000000-0000-7000-8000-0000000000ad --role admin | tail --lines=1)"
}

# put_up SKU UNITS
put_up() {
  curl --silent --show-error --fail-with-body --output /dev/null --request PUT "$troupe_url/api/v1/skus/$1" \
    --header "Authorization: Bearer $admin_token" --header 'Content-Type: application/json' \
    --data "{\"name\":\"$1\",\"stock\":$2}"
}

# turn CASE LOAD-OPTIONS...: one load on the bare responder, then the same on troupe. Options behind `--troupe` are
# for troupe alone.
turn() {
  local name="$1" both=() troupe_only=()
  shift
  while (($# > 0)) && [[ "$1" != --troupe ]]; do both+=("$1"); shift; done
  (($# == 0)) || troupe_only=("${@:2}")
  echo "$name bare $("$load" --url "$bare_url" --server-pid "$bare_pid" "${both[@]}" 2>>"$work/load.log")" >>"$raw"
  echo "$name troupe $("$load" --url "$troupe_url" --server-pid "$troupe_pid" "${both[@]}" "${troupe_only[@]}" 2>>"$work/load.log")" >>"$raw" || {
    tail --lines=3 "$work/load.log" >&2
    exit 1
  }
}

all_turns() {
  local order=(--method POST --target /api/v1/skus/hot/orders --body '{"quantity":1}' --unique-key)
  local timed=(--seconds "$seconds" --data "$data")
  put_up hot 1000000000
  for ((i = 1; i <= repetitions; ++i)); do
    echo "repetition $i of $repetitions" >&2
    turn orders-64 "${timed[@]}" --connections 64 "${order[@]}"
    turn orders-500 "${timed[@]}" --connections 500 --users 500 "${order[@]}"
    turn reads-64 "${timed[@]}" --connections 64 --target /api/v1/skus/hot
    # Bodies name the user, so that the loader can ask for that user's unread count afterwards.
    turn tasks-64 "${timed[@]}" --connections 64 --users 200 --method POST --target /api/v1/tasks --unique-key \
      --body '{"title":"Water the plants","userId":"{user}"}' --troupe --settle-unread
    put_up "burst-$i" 1000
    turn "burst-$burst" --data "$data" --connections "$burst" --burst --sku "burst-$i"
  done
}

# The raw lines are `CASE SERVER key=value…`. Prints, for each case, medians and the median of the ratios of each
# turn: case, bare rate, bare CPU, troupe rate, troupe CPU, troupe p99, ratio, answers of troupe that were no
# success. For the burst, rate is the time to the last answer.
summarize() {
  awk "$median_in_awk"'
    function column(c, what,   i, list) { for (i = 1; i <= turns[c]; ++i) list[i] = figure[c, i, what]; return median(list, turns[c]) }
    {
      delete value
      for (i = 3; i <= NF; ++i) { split($i, pair, "="); value[pair[1]] = pair[2] + 0 }
      if (!($1 in turns)) order[++cases] = $1
      if ($2 == "bare") ++turns[$1]
      t = turns[$1]
      figure[$1, t, $2 "_rate"] = ("last_answer_us" in value) ? value["last_answer_us"] / 1000 : value["per_second"]
      figure[$1, t, $2 "_cpu"] = value["server_cpu_ns_per_answer"] / 1000
      figure[$1, t, $2 "_p99"] = value["p99_us"] / 1000
      if ($2 == "troupe") {
        failures[$1] += ("lost" in value) ? value["lost"] : value["answers"] - value["successes"]
        if ($1 ~ /^tasks/) failures[$1] = 0  # the loader itself fails when a task has no notification
        figure[$1, t, "ratio"] = figure[$1, t, "troupe_rate"] / figure[$1, t, "bare_rate"]
      }
    }
    END {
      for (i = 1; i <= cases; ++i) {
        c = order[i]
        printf "%s %.1f %.1f %.1f %.1f %.2f %.3f %d\n", c, column(c, "bare_rate"), column(c, "bare_cpu"), column(c, "troupe_rate"), column(c, "troupe_cpu"), column(c, "troupe_p99"), column(c, "ratio"), failures[c]
      }
    }' "$raw"
}

print_table() {
  printf '%-34s %12s %8s %12s %8s %8s %8s\n' "median of $repetitions, $(nproc) cores" bare "us CPU" troupe "us CPU" "p99 ms" ratio
  summarize | awk '
    BEGIN {
      name["orders-64"] = "orders/s, one SKU, 64 connections"
      name["orders-500"] = "orders/s, one SKU, 500 connections"
      name["reads-64"] = "stock reads/s, 64 connections"
      name["tasks-64"] = "tasks/s with notification, 64"
    }
    /^burst/ { sub("burst-", "", $1); printf "%-34s %9.0f ms %8.1f %9.0f ms %8.1f %8s %6.2f x\n", $1 " at once, last answer", $2, $3, $4, $5, "", $7 }
    !/^burst/ && $1 in name { printf "%-34s %12.0f %8.1f %12.0f %8.1f %8.2f %6.1f %%\n", name[$1], $2, $3, $4, $5, $6, $7 * 100 }
    $8 > 0 { printf "  warning: %d answers of troupe were no success\n", $8 }'
}

print_json() {
  summarize | awk -v cores="$(nproc)" -v repetitions="$repetitions" -v seconds="$seconds" '
    BEGIN { printf "{\"cores\":%d,\"repetitions\":%d,\"seconds\":%s,\"cases\":[", cores, repetitions, seconds }
    {
      what = $1 ~ /^burst/ ? "LastAnswerMs" : "PerSecond"
      printf "%s{\"name\":\"%s\",\"bare%s\":%s,\"bareCpuUs\":%s,\"troupe%s\":%s,\"troupeCpuUs\":%s,", NR > 1 ? "," : "", $1, what, $2, $3, what, $4, $5
      if ($1 !~ /^burst/) printf "\"troupeP99Ms\":%s,", $6
      printf "\"ratio\":%s,\"failures\":%d}", $7, $8
    }
    END { print "]}" }'
}

start_servers
all_turns
if [[ $json == true ]]; then print_json; else print_table; fi
