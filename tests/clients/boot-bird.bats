#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# bird beside us: "tests/clients/run bird".

# shellcheck source=routing.bash
. "$BATS_TEST_DIRNAME/routing.bash"

protocol=12 process=bird unit=bird.service

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
	daemon_restarted
}

@test "bird, killed and started again: it deletes nothing of ours" {
	daemon_killed
}

@test "bird, before us: its routes are as they were" {
	daemon_before_us
}

@test "bird: the links down and up, and the clients restarted: its routes come back, and ours" {
	daemon_links_flap
}
