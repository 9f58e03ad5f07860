# shellcheck shell=bash
# The median, for the tables that awk makes of figures. To be sourced; goes before an awk program.
# shellcheck disable=SC2034  # used by who sources it
median_in_awk='
function median(list, count,   i, j, t) {
  for (i = 2; i <= count; ++i) for (j = i; j > 1 && list[j - 1] > list[j]; --j) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
  return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
}
'
