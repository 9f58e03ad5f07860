# shellcheck shell=bash disable=SC2154
# The processes of scripts/cluster.sh: what they are called, whether they run, how one is started. To be sourced by it:
# $dir is the cluster's directory, and $root the project's.
# A node or front NAME has NAME.command, which is how it is started, NAME.ports, NAME.pid, NAME.log, and its data in
# NAME. etcd has all of that in etcd, or a directory a member in there (scripts/etcd.sh).

names() {
  local file
  for file in "$dir"/*.command; do
    [[ -e "$file" ]] && basename "$file" .command
  done
}

# etcd_names: its members.
etcd_names() {
  local member
  if [[ ! -d "$dir/etcd/m1" ]]; then echo etcd; return; fi
  for member in "$dir"/etcd/m[1-9]; do basename "$member"; done
}

# etcd_directory_of NAME: of a member.
etcd_directory_of() { if [[ "$1" == etcd ]]; then echo "$dir/etcd"; else echo "$dir/etcd/$1"; fi; }

is_etcd_name() { [[ "$1" == etcd || "$1" == m[1-9] ]]; }

# pid_file_of NAME
pid_file_of() { if is_etcd_name "$1"; then echo "$(etcd_directory_of "$1")/pid"; else echo "$dir/$1.pid"; fi; }

# data_of NAME: what is among the words of its process, and of no other.
data_of() { if is_etcd_name "$1"; then echo "$(etcd_directory_of "$1")/data"; else echo "$dir/$1"; fi; }

# is_running NAME: whether the process that its pid file names is that node, front or member.
is_running() {
  local file
  file="$(pid_file_of "$1")"
  [[ -s "$file" ]] && is_server "$(<"$file")" "$(data_of "$1")"
}

# signal NAME NUMBER
signal() { kill "-$2" "$(<"$(pid_file_of "$1")")"; }

# launch NAME: starts what DIR/NAME.command says, in the background. When it returns is_running() knows it, or it has
# ended: whoever comes next must not start it once more.
launch() {
  local words=()
  mapfile -t words <"$dir/$1.command"
  # `ip netns exec` becomes the program, so the pid is the program's.
  [[ ! -s "$dir/hub" ]] || words=(ip netns exec "$(<"$dir/hub")-$1" "${words[@]}")
  "${words[@]}" </dev/null >>"$dir/$1.log" 2>&1 9>&- &
  echo $! >"$dir/$1.pid"
  until is_running "$1" || ! kill -0 $! 2>/dev/null; do sleep 0.01; done
  disown
}

# choose_ports NAME: two, of which no process of this cluster has one or will have.
choose_ports() {
  local port taken=("$dir"/*.ports "$dir"/etcd/ports "$dir"/etcd/m[1-9]/ports)
  port="$(free_port_beside "${taken[@]}")"
  echo "$port" >"$dir/$1.ports"
  echo "$port $(free_port_beside "${taken[@]}" "$dir/$1.ports")" >"$dir/$1.ports"
}

# start_etcd [MEMBERS]: those of its members that do not run.
start_etcd() {
  TROUPE_ETCD_SECONDS="${TROUPE_ETCD_SECONDS:-604800}" TROUPE_ETCD_ADDRESS="$(address_of etcd)" \
    at hub "$root/scripts/etcd.sh" start "$dir/etcd" "$@" >/dev/null 9>&-
}
