#!/usr/bin/env bash
# Breaks a real cluster on this machine again and again, with clients at work, and compares what they saw with what is
# on the nodes' disks. Only processes that it started, on loopback or in network namespaces that it makes.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/chaos.sh [--seed N] [--rounds N | --minutes M] [--data DIR] [--fault NAME]… [--clients N] [--etcds N] [--power-cuts]
       [--json] [--quiet]
  --seed N      which faults in which order (default: from the clock, printed)
  --rounds N    that many faults (default 25: each of them once)
  --minutes M   as many as begin within that time
  --data DIR    for the cluster and the history; must not exist, and stays. Default: a temporary directory, which
                stays only when something was violated
  --fault NAME  only this one; `build/release/test/chaos/troupe_chaos --help` lists them
  --clients N   that order without a pause (default 8, which two cores are busy with)
  --etcds N     members of etcd (default 3)
  --power-cuts  a node that is killed loses what it had not synced, as if the power had failed; otherwise the operating
                system still has all that was written. Disks that hang, too
  --links HOW   how links are cut: namespaces (of the network; root), proxy (this program stands between the processes)
                or none. Default: namespaces where they are allowed, and else proxy
  --no-full-disk
                without the full disk (a tmpfs), which needs root; as another user it is left out, and it says so
  --json        the report as JSON on stdout
Examples:
  scripts/chaos.sh --minutes 10
  scripts/chaos.sh --seed 7 --fault "kill primary" --rounds 50
Exit status 0: everything held.
TEXT
}

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
words=()
data=""
seed="$(date +%s)"
rounds=25
links=""
with_full_disk=1
with_power_cuts=0
while [[ $# -gt 0 ]]; do
  case "$1" in
    --help) usage; exit 0 ;;
    --power-cuts) with_power_cuts=1; shift ;;
    --no-full-disk) with_full_disk=0; shift ;;
    --json | --quiet) words+=("$1"); shift ;;
    --seed | --rounds | --minutes | --data | --fault | --links | --clients | --etcds)
      [[ $# -ge 2 ]] || { echo "chaos.sh: $1 needs a value" >&2; exit 2; }
      case "$1" in
        --seed) seed="$2" ;;
        --rounds) rounds="$2" ;;
        --data) data="$2" ;;
        --links) links="$2" ;;
        *) words+=("$1" "$2") ;;
      esac
      shift 2
      ;;
    *) echo "chaos.sh: there is no option $1" >&2; usage >&2; exit 2 ;;
  esac
done

chaos="${TROUPE_CHAOS:-$root/build/release/test/chaos/troupe_chaos}"
troupe="${TROUPE:-$root/build/release/cli/troupe}"
if [[ -z "${TROUPE_CHAOS:-}" ]]; then "$root/scripts/build.sh" release troupe troupe_chaos troupe_forgetful >&2; fi
# The same program, on disks that forget.
if ((with_power_cuts)); then
  troupe="${TROUPE_FORGETFUL:-$root/build/release/test/chaos/troupe_forgetful}"
  words+=(--forgetful-disks)
fi

# Whether this user may make namespaces and mounts.
if { unshare --net true && unshare --mount true; } 2>/dev/null; then
  links="${links:-namespaces}"
else
  ((!with_full_disk)) || echo "without root: no disk is full" >&2
  links="${links:-proxy}"
  with_full_disk=0
fi
case "$links" in
  namespaces | proxy) words+=("--$links") ;;
  none) ;;
  *) echo "chaos.sh: links are cut by namespaces, proxy or none, not by $links" >&2; exit 2 ;;
esac
((!with_full_disk)) || words+=(--small-disk-mib 2048)

is_temporary=0
if [[ -z "$data" ]]; then
  data="$(mktemp --directory --tmpdir troupe-chaos.XXXXXX)/run"
  is_temporary=1
fi
[[ ! -e "$data" ]] || { echo "chaos.sh: $data is there already" >&2; exit 2; }
# shellcheck disable=SC2317  # called by the trap
clean_up() {
  local code=$?
  [[ ! -e "$data/cluster/urls" ]] || "$root/scripts/cluster.sh" stop --data "$data/cluster" >/dev/null 2>&1 || true
  if mountpoint --quiet "$data/cluster/n1" 2>/dev/null; then umount "$data/cluster/n1"; fi
  if ((is_temporary)); then
    if ((code == 0)); then rm --recursive --force "$(dirname "$data")"; else echo "what it left is in $data" >&2; fi
  fi
}
trap clean_up EXIT
echo "seed $seed" >&2
"$chaos" --source "$root" --troupe "$troupe" --data "$data" --seed "$seed" --rounds "$rounds" "${words[@]}"
