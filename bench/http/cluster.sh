#!/usr/bin/env bash
# What a cluster costs: orders on one SKU through all-in-one, through a front to one node, and through a front to three
# copies, turn by turn in one run; and what a cluster costs that has nothing to do.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/http/cluster.sh [--repetitions N] [--seconds S] [--connections N] [--idle-seconds S] [--json] [--help]
  --repetitions N   turns of each; medians are printed (default 5)
  --seconds S       measured time of each load (default 3)
  --connections N   of the load (default 64)
  --idle-seconds S  how long the idle cluster (three nodes, two fronts) is watched (default 20)
  --json            one JSON object on stdout instead of the table
  Builds what it needs, starts everything on free loopback ports and stops it. About 2 minutes by default.
TEXT
}

repetitions=5
seconds=3
connections=64
idle_seconds=20
json=false
while (($# > 0)); do
  case "$1" in
    --help) usage; exit 0 ;;
    --json) json=true ;;
    --repetitions | --seconds | --connections | --idle-seconds)
      (($# > 1)) || { usage >&2; exit 2; }
      name="${1#--}"
      declare "${name//-/_}=$2"
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
"$root/scripts/build.sh" release troupe http_load >&2
export TROUPE="$root/build/release/cli/troupe"
export TROUPE_ETCD_SECONDS=1200
load="$root/build/release/bench/http/http_load"
work="$(mktemp --directory --tmpdir troupe-bench.XXXXXX)"
raw="$work/figures"
each="$work/each"  # process, CPU an order

# shellcheck disable=SC2317  # called by the trap
clean_up() {
  stop_server "$work/serve.pid" "$work/serve" || true
  for shape in one three; do
    [[ ! -e "$work/$shape/urls" ]] || "$root/scripts/cluster.sh" stop --data "$work/$shape" >/dev/null 2>&1 || true
  done
  rm --recursive --force "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# cpu_ms PID…: user and system time of all of them.
cpu_ms() {
  local pid ticks=0
  for pid in "$@"; do
    ticks=$((ticks + $(sed 's/.*) //' "/proc/$pid/stat" | cut --delimiter=' ' --fields=12,13 | tr ' ' '+')))
  done
  echo $((ticks * 1000 / $(getconf CLK_TCK)))
}

pids_of() { cat "$work/$1"/n*.pid "$work/$1"/f*.pid; }

start_all() {
  local port ops_port
  ulimit -S -n "$(ulimit -H -n)"
  port="$(free_port)"
  ops_port="$(free_port)"
  "$TROUPE" serve --data "$work/serve" --port "$port" --ops-port "$ops_port" --pid-file "$work/serve.pid" \
    >"$work/serve.log" 2>&1 &
  echo $! >"$work/serve.pid"
  wait_ready "$ops_port" "$work/serve.pid" "$work/serve.log"
  serve_url="http://127.0.0.1:$port"
  "$root/scripts/cluster.sh" start --nodes 1 --fronts 1 --replicas 1 --data "$work/one" >/dev/null
  "$root/scripts/cluster.sh" start --nodes 3 --fronts 2 --replicas 3 --data "$work/three" >/dev/null
}

# put_up URL KEYS
put_up() {
  local token
  token="$("$TROUPE" token --data "$2" --user 00000000-0000-7000-8000-0000000000ad --role admin 2>/dev/null | tail --lines=1)"
  curl --silent --show-error --fail-with-body --output /dev/null --request PUT "$1/api/v1/skus/hot" \
    --header "Authorization: Bearer $token" --header 'Content-Type: application/json' \
    --data '{"name":"hot","stock":1000000000}'
}

# turn NAME URL KEYS PID…: notes NAME, orders a second, and CPU of those processes an order in microseconds; of three
# copies that of each process, too.
turn() {
  local name="$1" url="$2" keys="$3" before after said pid who
  local -A before_of=()
  shift 3
  for pid in "$@"; do before_of[$pid]="$(cpu_ms "$pid")"; done
  before="$(cpu_ms "$@")"
  said="$("$load" --url "$url" --data "$keys" --seconds "$seconds" --connections "$connections" --method POST \
    --target /api/v1/skus/hot/orders --body '{"quantity":1}' --unique-key 2>>"$work/load.log")"
  after="$(cpu_ms "$@")"
  if [[ $name == three ]]; then
    for pid in "$@"; do
      who="$(grep --files-with-matches --line-regexp "$pid" "$work"/three/[nf]*.pid)"
      awk -v who="$(basename "$who" .pid)" -v cpu_ms=$(($(cpu_ms "$pid") - before_of[$pid])) '
        { for (i = 1; i <= NF; ++i) { split($i, pair, "="); value[pair[1]] = pair[2] + 0 } }
        END { printf "%s %.1f\n", who, cpu_ms * 1000 / value["answers"] }' <<<"$said" >>"$each"
    done
  fi
  awk -v name="$name" -v cpu_ms=$((after - before)) '
    { for (i = 1; i <= NF; ++i) { split($i, pair, "="); value[pair[1]] = pair[2] + 0 } }
    END { printf "%s %.1f %.1f %d\n", name, value["per_second"], cpu_ms * 1000 / value["answers"], value["answers"] - value["successes"] }
  ' <<<"$said" >>"$raw"
}

start_all
mapfile -t three_pids < <(pids_of three)
before="$(cpu_ms "${three_pids[@]}")"
sleep "$idle_seconds"
idle_percent="$(awk -v ms=$(($(cpu_ms "${three_pids[@]}") - before)) -v s="$idle_seconds" 'BEGIN { printf "%.1f", ms / s / 10 }')"

put_up "$serve_url" "$work/serve"
put_up "$(head --lines=1 "$work/one/urls")" "$work/one/keys"
put_up "$(head --lines=1 "$work/three/urls")" "$work/three/keys"
mapfile -t one_pids < <(pids_of one)
for ((i = 1; i <= repetitions; ++i)); do
  echo "repetition $i of $repetitions" >&2
  turn serve "$serve_url" "$work/serve" "$(<"$work/serve.pid")"
  turn one "$(head --lines=1 "$work/one/urls")" "$work/one/keys" "${one_pids[@]}"
  turn three "$(head --lines=1 "$work/three/urls")" "$work/three/keys" "${three_pids[@]}"
done

# NAME, median rate, median CPU, median of the ratios to `serve` of the same turn, failures.
summarize() {
  awk "$median_in_awk"'
    { n = ++turns[$1]; rate[$1, n] = $2; cpu[$1, n] = $3; ratio[$1, n] = $2 / rate["serve", n]; failures[$1] += $4 }
    END {
      split("serve one three", order, " ")
      for (o = 1; o <= 3; ++o) {
        c = order[o]
        for (i = 1; i <= turns[c]; ++i) { r[i] = rate[c, i]; u[i] = cpu[c, i]; q[i] = ratio[c, i] }
        printf "%s %.1f %.1f %.3f %d\n", c, median(r, turns[c]), median(u, turns[c]), median(q, turns[c]), failures[c]
      }
    }' "$raw"
}

# The primary of the SKU, and each process of the three copies: NAME, median CPU.
primary="$("$root/scripts/cluster.sh" where sku/hot --data "$work/three" | tail --lines=1)"
summarize_each() {
  awk "$median_in_awk"'
    { if (!($1 in turns)) order[++names] = $1; n = ++turns[$1]; cpu[$1, n] = $2 }
    END {
      for (o = 1; o <= names; ++o) {
        c = order[o]
        for (i = 1; i <= turns[c]; ++i) u[i] = cpu[c, i]
        printf "%s %.1f\n", c, median(u, turns[c])
      }
    }' "$each"
}

if [[ $json == true ]]; then
  summarize | awk -v idle="$idle_percent" -v cores="$(nproc)" '
    BEGIN { printf "{\"cores\":%d,\"idlePercentOfOneCore\":%s,\"cases\":[", cores, idle }
    { printf "%s{\"name\":\"%s\",\"ordersPerSecond\":%s,\"cpuUs\":%s,\"ratio\":%s,\"failures\":%d}", NR > 1 ? "," : "", $1, $2, $3, $4, $5 }
    END { printf "]," }'
  summarize_each | awk -v primary="$primary" '
    BEGIN { printf "\"threeCopies\":[" }
    { printf "%s{\"process\":\"%s\",\"isPrimary\":%s,\"cpuUs\":%s}", NR > 1 ? "," : "", $1, $1 == primary ? "true" : "false", $2 }
    END { print "]}" }'
else
  printf '%-44s %10s %12s %8s\n' "median of $repetitions, $connections connections, $(nproc) cores" "orders/s" "us CPU each" ratio
  summarize | awk '
    BEGIN { name["serve"] = "all-in-one"; name["one"] = "front and one node, one copy"; name["three"] = "front and three nodes, three copies" }
    { printf "%-44s %10.0f %12.1f %6.1f %%\n", name[$1], $2, $3, $4 * 100 }
    $5 > 0 { printf "  warning: %d answers were no success\n", $5 }'
  summarize_each | awk -v primary="$primary" '
    { what = $1 ~ /^n/ ? ($1 == primary ? "the primary" : "a backup") : ($1 == "f1" ? "the front" : "a front without load") }
    { printf "  %-42s %10s %12.1f\n", "of that " $1 ", " what, "", $2 }'
  printf '%-44s %10s %12s %6s %%\n' "three nodes and two fronts, idle: of one core" "" "" "$idle_percent"
fi
