#!/usr/bin/env bash
# Installs what troupe needs to be built, tested and run, from Debian 12 packages. Does nothing when all is there.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/setup.sh [--list] [--help]
  Installs the packages that are missing (as root, or with sudo). Quiet when nothing is missing.
  --list   print the packages and exit
TEXT
}

packages=(
  g++ cmake ninja-build ccache mold pkg-config git
  libcaf-dev
  libboost1.81-dev libboost-json1.81-dev
  librocksdb-dev
  # What the CMake configuration of librocksdb-dev looks for, and its package does not depend on.
  libgflags-dev libsnappy-dev zlib1g-dev libbz2-dev liblz4-dev libzstd-dev
  libfmt-dev libspdlog-dev libcli11-dev
  libcpp-httplib-dev libssl-dev
  libsodium-dev libxxhash-dev libmimalloc-dev prometheus-cpp-dev
  doctest-dev librapidcheck-dev libbenchmark-dev
  clang-format clang-tidy shellcheck
  curl procps
  # For the tests of the cluster; each starts its own (scripts/etcd.sh).
  etcd-server
)

case "${1:-}" in
  --help) usage; exit 0 ;;
  --list) printf '%s\n' "${packages[@]}"; exit 0 ;;
  "") ;;
  *) usage >&2; exit 2 ;;
esac

is_installed() {
  [[ "$(dpkg-query --show --showformat='${db:Status-Abbrev}' "$1" 2>/dev/null)" == ii* ]]
}

if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is not a Debian system. Install the equivalents of these packages: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  is_installed "$package" || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

as_root=()
if [[ "$(id --user)" -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: run as root, or install sudo. Missing: ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends --quiet "${missing[@]}"
}

# Debian starts a service when its package is installed, and at each boot. Nobody has asked for an etcd that runs
# for good, so it is neither started nor enabled. One that was installed before is left as it is.
brings_etcd=false
[[ " ${missing[*]} " == *" etcd-server "* ]] && brings_etcd=true
policy=/usr/sbin/policy-rc.d
made_policy=false
forbid_services() {
  [[ $brings_etcd == true && ! -e $policy ]] || return 0
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
  made_policy=true
}
allow_services() {
  [[ $made_policy == false ]] || "${as_root[@]}" rm --force "$policy"
  made_policy=false
  [[ $brings_etcd == false ]] || ! is_installed etcd-server || ! command -v systemctl >/dev/null ||
    "${as_root[@]}" systemctl --quiet disable etcd.service >/dev/null 2>&1 || true
}

echo "setup: installing ${missing[*]}" >&2
log="$(mktemp)"
trap 'rm --force "$log"; allow_services' EXIT
forbid_services
# The package lists may be missing or old, so they are fetched only when the first try fails.
if ! install >"$log" 2>&1; then
  if ! { "${as_root[@]}" apt-get update --quiet && install; } >"$log" 2>&1; then
    tail --lines=20 "$log" >&2
    echo "setup: apt-get failed, see above" >&2
    exit 1
  fi
fi
