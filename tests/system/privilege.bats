#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What the program may do, and what it keeps in mind when it may not.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { begin; }
teardown() { finish; }

@test "a replay that may change nothing forgets nothing" {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	before=$(snapshot)
	exits 1 capsh --drop=cap_net_admin -- -c 'sixxs-route apply sixxs0'
	assert_same "$before" "$(snapshot)"
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	sixxs-route apply sixxs0
	[ "$(rules | grep -c 2a02::1)" -eq 0 ]
	[ -z "$(routes 200)" ]
}

@test "it keeps CAP_NET_ADMIN and nothing else, for good" {
	sixxs-route watch 3>&- &
	pid=$!
	wait_until 10 grep -q '^NoNewPrivs:[[:space:]]*1$' /proc/$pid/status
	status=$(cat /proc/$pid/status)
	kill $pid
	wait $pid || true
	for set in CapPrm CapEff; do
		has "$set: 0000000000001000" <<<"$(squeeze <<<"$status")"
	done
	for set in CapInh CapAmb; do
		has "$set: 0000000000000000" <<<"$(squeeze <<<"$status")"
	done
}

@test "an event executes no other program" {
	printf '[sixxs0]\nsource = 2a02::1\ntable = 200\n' | drop_in sixxs0
	tunnel_add sixxs0
	tunnel_up sixxs0
	settle
	tracer=(strace -f -e "trace=execve,execveat,fork,vfork,clone,clone3" -o /tmp/trace)
	event add sixxs0 "$(ifindex sixxs0)"
	tracer=()
	[ "$(grep -cE '(execve|execveat|fork|vfork|clone|clone3)\(' /tmp/trace)" -eq 1 ]
}
