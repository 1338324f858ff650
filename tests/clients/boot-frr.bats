#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# FRR's zebra beside us: "tests/clients/run frr".

# shellcheck source=routing.bash
. "$BATS_TEST_DIRNAME/routing.bash"

protocol=196 process=zebra unit=frr.service

@test "FRR: after a boot both ways are right, one of them by its route" {
	ways_are_right
	nothing_leaked
}

@test "FRR, restarted after us: it deletes nothing of ours" {
	daemon_restarted
}

@test "FRR, zebra killed and started again: it deletes nothing of ours" {
	daemon_killed
}

@test "FRR, before us: its routes are as they were" {
	daemon_before_us
}

@test "FRR: the links down and up, and the clients restarted: its routes come back, and ours" {
	daemon_links_flap
}
