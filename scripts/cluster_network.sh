# shellcheck shell=bash disable=SC2154
# Where the processes of scripts/cluster.sh are, as far as the network goes, and how one is cut off. To be sourced by
# it: $dir is the cluster's directory, and names() the nodes and fronts.
# Without options all are on 127.0.0.1. With DIR/hub, the prefix of their names, each has a network namespace of its
# own with a cable to a bridge in the hub, where etcd is. With DIR/links each has a loopback address of its own, and
# something stands between them.

# at NAME WORDS…: runs something where that process is. The hub is where etcd is.
at() {
  if [[ -s "$dir/hub" ]]; then
    ip netns exec "$(<"$dir/hub")-$1" "${@:2}"
  else
    "${@:2}"
  fi
}

# address_of NAME
address_of() {
  if [[ -s "$dir/links" ]]; then
    case "$1" in
      n*) echo "127.1.0.${1#n}" ;;
      f*) echo "127.1.1.${1#f}" ;;
      *) echo 127.0.0.1 ;;
    esac
    return
  fi
  if [[ ! -s "$dir/hub" ]]; then echo 127.0.0.1; return; fi
  case "$1" in
    etcd | hub) echo 10.87.0.1 ;;
    n*) echo "10.87.0.$((10 + ${1#n}))" ;;
    f*) echo "10.87.0.$((100 + ${1#f}))" ;;
  esac
}

# links_to NAME: what stands before it, when something does; before etcd, a line a member.
links_to() {
  [[ ! -s "$dir/links" ]] || awk -v name="$1" '$1 == name { print $2 }' "$dir/links"
}

# etcd_urls_for NAME: where that process reaches etcd's members, separated by commas.
etcd_urls_for() {
  local links
  links="$(links_to "etcd/$1")"
  if [[ -z "$links" ]]; then
    cat "$dir/etcd/endpoint"
  else
    echo "http://${links//$'\n'/,http://}"
  fi
}

# make_hub: the namespace in the middle, a bridge.
make_hub() {
  local prefix
  prefix="troupe-$(printf '%s' "$dir" | cksum | cut --delimiter=' ' --fields=1)"
  ip netns add "$prefix-hub" || { echo "cluster.sh: network namespaces need root" >&2; return 1; }
  echo "$prefix" >"$dir/hub"
  at hub ip link set lo up
  at hub ip link add name bridge type bridge
  at hub ip address add 10.87.0.1/24 dev bridge
  at hub ip link set bridge up
}

# join_hub NAME: a namespace for that process, with a cable to the bridge.
join_hub() {
  local prefix
  prefix="$(<"$dir/hub")"
  ip netns add "$prefix-$1"
  at hub ip link add name "to-$1" type veth peer name cable netns "$prefix-$1"
  at hub ip link set "to-$1" master bridge up
  at "$1" ip link set lo up
  at "$1" ip address add "$(address_of "$1")/24" dev cable
  at "$1" ip link set cable up
}

# shellcheck disable=SC2317  # called by the trap too
remove_namespaces() {
  local who
  [[ -s "$dir/hub" ]] || return 0
  for who in $(ip netns list | cut --delimiter=' ' --fields=1 | grep "^$(<"$dir/hub")-"); do ip netns delete "$who"; done
}

# cut_off FROM TO: what FROM sends does not reach TO any more. All of etcd's members are at one address.
cut_off() {
  [[ -s "$dir/hub" ]] || { echo "cluster.sh: only a cluster with --namespaces can be cut" >&2; return 1; }
  [[ -n "$2" ]] || { echo "cluster.sh: who from whom? e.g. cluster.sh cut n1 n2" >&2; return 2; }
  at "$1" ip route add blackhole "$(address_of "$2")/32"
}

# unplug NAME: its cable is pulled.
unplug() {
  [[ -s "$dir/hub" && -n "$1" ]] || { echo "cluster.sh: only with --namespaces, and which one?" >&2; return 1; }
  at hub ip link set "to-$1" down
}

# heal: no cut is left.
heal() {
  local who
  [[ -s "$dir/hub" ]] || return 0
  for who in $(names); do
    at "$who" ip route flush type blackhole
    at hub ip link set "to-$who" up
  done
}
