# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034 # for who sources this
#
# shard.bash NAME SAMPLE [ARG...]: what kill, errors, looks and sick begin with. ARG: their own. Outside of a
# machine it runs NAME in some (outside.bash), and exits; inside it sets what takes_case asks for.
set -u
shopt -s extglob nullglob dotglob
here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
repo=${here%/tests/faults}

# shellcheck source=tests/faults/outside.bash
. "$here/outside.bash"
# shellcheck source=tests/faults/inject.bash
. "$here/inject.bash"
[ "${3-}" = --inside ] || outside "$1" "$2"
# shellcheck source=tests/faults/lib.bash
. "$here/lib.bash"
read -r shard shards sample RANDOM <<<"${*:4}"
