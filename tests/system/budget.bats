#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What an event costs, in counts that do not depend on the machine: instructions and system calls
# beyond those of the loader and the start, with one tunnel and with a thousand. A limit is a little
# above what was measured: what comes to more has a reason to tell, here and in its commit. Without
# randomness (still.c) each run counts the same; what preloads it is one variable more that libudev
# takes for a property: some 2,600 instructions more than without. Who owns a table that changes its
# kind costs an event 300.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

tunnels=1000

setup_file() {
	# told by each test: bats 1.8 takes a skip in here for a failure
	export unable=
	command -v valgrind >/dev/null || unable='no valgrind'
	[ "${BUILD:-build}" = build ] || unable='only the program as it is installed has a budget'
	[ -z "$unable" ] || return 0
	export counts=$BATS_FILE_TMPDIR/counts
	udev_control --stop-exec-queue # the events are made by hand
	# shellcheck disable=SC2154 # by lib.bash
	cc -O2 -shared -fPIC -o /tmp/still.so "$repo/tests/bench/still.c"
	TURNS=0 STILL=/tmp/still.so PROFILE=$counts "$repo/tests/bench/counts" 1 $tunnels >"$counts"
	cat "$counts" >&2
}

setup() { [ -z "$unable" ] || skip "$unable"; }

count() { sed -n "s/^counts\t$1\t$2\t$3\t//p" "$counts"; } # TUNNELS EVENT UNIT

# what TUNNELS EVENT: sets "instructions" and "calls", of the whole process
what() {
	instructions=$(count "$1" "$2" instructions) calls=$(count "$1" "$2" calls)
	[ "$instructions" -gt 0 ] && [ "$calls" -gt 0 ]
}

at_most() { # WHAT FOUND LIMIT
	echo "$1: $2, at most $3" >&2
	[ "$2" -gt 0 ] && [ "$2" -le "$3" ]
}

# within EVENT INSTRUCTIONS CALLS: beyond the start, which differs by the libraries. So do, on Debian 13,
# libudev's first random number (two calls more, since glibc 2.41) and the place of iproute2's own file (one).
# Linux 6.1 ends a dump of rules in a message of its own (one).
within() {
	what 1 load
	local start=$instructions start_calls=$calls
	what 1 "$1"
	at_most "instructions of $1" $((instructions - start)) "$2"
	at_most "calls of $1" $((calls - start_calls)) $(($3 + 2 * $(traced "$1" MAP_DROPPABLE) +
		$(traced "$1" '"/etc/iproute2/rt_tables", .*ENOENT') +
		$(traced "$1" '=\[{nlmsg_len=20, nlmsg_type=NLMSG_DONE, nlmsg_flags=NLM_F_MULTI,')))
}

# traced EVENT PATTERN: how many of its calls are so
traced() { grep -c "$2" "$counts.1.$1.strace" || true; }

# Six calls of each are for holds (held/) and for the mark of the network namespace: at the limit.
@test "an add" { within add 106400 76; }

# Each function of a library that is used anywhere costs each start some 700 instructions: it is bound
# before main.
@test "a start binds no more functions than it did" {
	at_most "functions of libraries" "$(nm -D --undefined-only "$repo/build/sixxs-route" | wc -l)" 121
}

@test "a replay" { within replay 112400 67; }

# These two delete rules, and look first whether the kernel would take another's for it: the four
# calls of one short dump and six thousand instructions.
@test "a change of the table" { within table 140600 96; }

@test "a remove" { within remove 117000 73; }

calls_of() { sed 's/^[0-9]* *//' "$counts.$1.strace"; }

# But for what is read and written more, that is one file: the names.
@test "1,000 tunnels cost an event no more than one does" {
	local event before before_calls
	for event in add replay table remove; do
		what 1 $event
		before=$instructions before_calls=$calls
		what $tunnels $event
		at_most "instructions of $event" "$instructions" $((before + before / 16))
		at_most "calls of $event" "$calls" $((before_calls + 5)) || {
			diff <(calls_of "1.$event") <(calls_of "$tunnels.$event") >&2
			return 1
		}
	done
}

# looks N EVENT TUNNELS: how often the event asks for rules; strace names no request of a socket
# without an address.
looks() { assert_same "$1" "$(grep -cE 'sendto.*nlmsg_type=(RTM_GETRULE|0x22)' "$counts.$3.$2.strace")"; }

@test "an event looks at rules only before a delete, and once at its own table" {
	local event n
	for n in 1 $tunnels; do
		looks 0 add "$n"
		looks 0 replay "$n"
		looks 1 table "$n"
		looks 1 remove "$n"
	done
	for event in add replay table remove; do
		[ "$(grep -c 'sendto.*RTM_GETROUTE' "$counts.1.$event.strace")" -le 1 ]
	done
	[ "$(grep -c 'sendto.*RTM_GETROUTE' "$counts.1.add.strace")" -eq 1 ]
}
