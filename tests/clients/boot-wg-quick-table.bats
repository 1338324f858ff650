#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# wg-quick with Table = the section's own: "tests/clients/run wg-quick-table".

# shellcheck source=wg-quick.bash
. "$BATS_TEST_DIRNAME/wg-quick.bash"

# theirs COUNT: so many default routes of wg-quick's stand in both tables
theirs() {
	local table
	for table in 300 301; do
		[ "$({ ip route show table $table && ip -6 route show table $table; } | grep '^default dev' | grep -vc 'proto sixxs')" -eq "$1" ] || return
	done
}

@test "wg-quick, Table = N: the host rebooted; its default stands beside ours" {
	rebooted
	theirs 2
}

@test "wg-quick, Table = N: restarted" { restarted && theirs 2; }

@test "wg-quick, Table = N: wireguard-go killed, and the unit restarted" {
	wg_quick_killed
	all_right
	theirs 2
}

@test "wg-quick, Table = N: its links down and up: its routes do not come back, ours do" {
	links_flap
	ways_are_right
	theirs 0
	nothing_leaked
	restarted
}

@test "wg-quick, Table = N, route = none: its routes alone carry; after down and up they are lacking, which is told" {
	printf '%s\n' '[wgq1]' 'source = auto' 'table = 301' 'route = none' 'connect_limit = 64/1' | drop_in wgq1
	sixxs-route apply wgq1
	ways_are_right
	[ -z "$(ip -6 -N route show table 301 proto 166)" ]
	ip link set wgq1 down
	ip link set wgq1 up
	run -1 sixxs-route status wgq1
	[[ $output == *astray* ]]
	systemctl restart wg-quick@wgq1
	ways_are_right
	sections "${links[@]}"
	sixxs-route apply wgq1
	all_right
}

@test "wg-quick, Table = N: udevd away meanwhile" { udevd_away; }
@test "wg-quick, Table = N: stopped, it leaves nothing but the kill switch" { ended; }
@test "wg-quick, Table = N: without us the way is wrong" { control; }
