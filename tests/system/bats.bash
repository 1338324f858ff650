# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034,SC2317 # bats uses what is set here, and calls what stands here
#
# In the place of bats' own (1.8 to 1.11), to be sourced by a file of tests.

# Bats' kills the countdown of BATS_TEST_TIMEOUT by its PID: of a test that ends before this has set its
# trap, the "sleep" is left, and bats waits for that to end.
bats_abort_timeout_countdown() {
	local tries=$((500 * ${SLOW:-1})) key value child=
	while [ -z "${BATS_TIMED_OUT-}" ] && [ $((tries -= 1)) -gt 0 ]; do
		{ while read -r key value && [ "$key" != SigCgt: ]; do :; done <"/proc/$1/status"; } || true
		read -r child _ <"/proc/$1/task/$1/children" || true
		[ -z "$child" ] || ((!(0x${value:-0} >> 5 & 1))) || break
		nap 0.01
	done
	kill -ABRT "$1" || true
} 2>/dev/null

# Called before each command, to know where a test failed. Bats' takes a fifth of a millisecond, which
# is more than all else that bash does in a test. This notes only where the test's own file stands, in
# bash's form, and what is called from there is told by that line.
bats_debug_trap() {
	[[ $1 == "${BATS_TEST_SOURCE-}" && ${BATS_INTERRUPTED-no}${BATS_TIMED_OUT-no} == nono ]] || return 0
	local IFS=$'\n'
	BATS_DEBUG_LASTLAST_STACK_TRACE=("${BATS_DEBUG_LAST_STACK_TRACE[@]}")
	BATS_DEBUG_LAST_LINENO=("${BASH_LINENO[@]}")
	BATS_DEBUG_LAST_SOURCE=("${BASH_SOURCE[@]}")
	BATS_DEBUG_LAST_STACK_TRACE=("${BASH_LINENO[*]}" "${FUNCNAME[*]}" "${BASH_SOURCE[*]}")
}

# bats_get_failure_stack_trace ARRAY: sets it to what was noted, in bats' form: "LINE FUNCTION FILE",
# from inside to outside.
bats_get_failure_stack_trace() {
	local -n ret=$1
	local noted=("${BATS_DEBUG_LASTLAST_STACK_TRACE[@]}") i lines functions files
	[ -z "${BATS_DEBUG_LAST_STACK_TRACE_IS_VALID-}" ] || noted=("${BATS_DEBUG_LAST_STACK_TRACE[@]}")
	mapfile -t lines <<<"${noted[0]-}"
	mapfile -t functions <<<"${noted[1]-}"
	mapfile -t files <<<"${noted[2]-}"
	ret=()
	for ((i = 1; i < ${#functions[@]}; i++)); do
		ret+=("${lines[i - 1]} ${functions[i]} ${files[i]}")
		case ${functions[i]} in
		"${BATS_TEST_NAME-}" | setup | teardown | setup_file | teardown_file) break ;;
		esac
	done
}

get_mills_since_epoch() { printf '%d\n' $((${EPOCHREALTIME/[.,]/} / 1000)); }
