# shellcheck shell=bash
# For tests of a program as its user meets it. Sourced with `program` set to its words; makes `work`, a directory that
# is gone at the end.
work="$(mktemp --directory --tmpdir troupe-program.XXXXXX)"
trap 'rm --recursive --force "$work"' EXIT

fail() {
  echo "FAILED: $*" >&2
  [[ ! -f "$work/out" ]] || cat "$work/out" >&2
  exit 1
}

# ends CODE TEXT ARGUMENTS: the program must end with that code and say that.
ends() {
  local expected="$1" text="$2" code=0
  shift 2
  # shellcheck disable=SC2154  # whoever sources this sets it
  "${program[@]}" "$@" >"$work/out" 2>&1 || code=$?
  ((code == expected)) || fail "${program[-1]##*/} $* ended with $code, not $expected"
  grep --quiet --fixed-strings -- "$text" "$work/out" || fail "${program[-1]##*/} $* does not say: $text"
}
