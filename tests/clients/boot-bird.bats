#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# bird beside us: "tests/clients/run bird".

# shellcheck source=socat.bash
. "$BATS_TEST_DIRNAME/socat.bash"

# Its part: what it has in the kernel, in main and in the table of route = none.
in_main() { ip -N route show 198.18.0.0/15 && ip -6 -N route show 2001:db8:5::/48; }
in_table() { ip -N route show default table 301 && ip -6 -N route show default table 301; }
routed() { [ "$(in_main | grep -c 'proto 12')" -eq 2 ] && [ "$(in_table | grep -c 'dev soc1 .*proto 12')" -eq 2 ]; }

setup() { wait_until 30 routed; }

undisturbed() { [ "$(deleted rule 'proto 166')" -eq 0 ] && [ "$(deleted route 'proto 166')" -eq 0 ]; }

@test "bird: after a boot both ways are right, one of them by its route" {
	ways_are_right
	nothing_leaked
}

@test "bird learns our routes of the first tunnel's table" {
	learned() { birdc show route table "learned$1" all | grep -A 9 "^$2" | grep -q 'Kernel.source: 166'; }
	wait_until 10 learned 4 0.0.0.0/0
	wait_until 10 learned 6 ::/0
}

@test "bird, restarted after us: it deletes nothing of ours" {
	monitored rule
	monitored route
	systemctl restart bird.service
	wait_until 10 some_deleted route '198.18.0.0/15'
	wait_until 30 routed
	unmonitored
	undisturbed
	ways_are_right
}

@test "bird, killed and started again: it deletes nothing of ours" {
	local before
	before=$(pgrep -x bird)
	monitored rule
	monitored route
	kill -KILL "$before"
	another() { pgrep -x bird && [ "$(pgrep -x bird)" != "$before" ]; }
	wait_until 60 another
	wait_until 60 routed
	unmonitored
	undisturbed
	ways_are_right
}

@test "bird, before us: its routes are as they were" {
	local before
	before=$(in_main && in_table)
	we_start
	ways_are_right
	assert_same "$before" "$(in_main && in_table)"
}

@test "bird: the links down and up, and the clients restarted: its routes come back, and ours" {
	forgive
	ip link set soc1 down
	gone() { [ "$(in_table | grep -c 'dev soc1')" -eq 0 ]; }
	wait_until 10 gone
	ip link set soc1 up
	wait_until 30 routed
	ip link set soc0 down
	wait_until 10 table_empty 300
	ip link set soc0 up
	ways_are_right
	systemctl restart "${units[@]}"
	wait_until 30 routed
	ways_are_right
	nothing_leaked
}
