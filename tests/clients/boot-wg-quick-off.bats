#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# wg-quick with Table = off: "tests/clients/run wg-quick-off".

# shellcheck source=wg-quick.bash
. "$BATS_TEST_DIRNAME/wg-quick.bash"

@test "wg-quick, Table = off: the host rebooted" {
	rebooted
	wireguard_pid wgq0
}

@test "wg-quick, Table = off: restarted" { restarted; }

@test "wg-quick, Table = off: wireguard-go killed, and the unit restarted" {
	wg_quick_killed
	all_right
}

@test "wg-quick, Table = off: its links down and up" { flapped; }
@test "wg-quick, Table = off: udevd away meanwhile" { udevd_away; }
@test "wg-quick, Table = off: stopped, it leaves nothing but the kill switch" { ended; }
@test "wg-quick, Table = off: without us the way is wrong" { control; }
