#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The story with the kernel's own tunnels, each of both with an end point of its own, behind an ISP that
# drops foreign sources; the watcher is the service that udev starts.

setup_file() {
	# shellcheck source=lib.bash
	. "$BATS_TEST_DIRNAME/lib.bash"
	local module
	# their first use makes links of their own
	for module in sit ip_gre ip6_gre wireguard dummy vrf; do
		modprobe $module
	done
	topology_up && far_ends_up && echoes_start && install_here
}

teardown_file() { echoes_stop; }

setup() {
	# shellcheck source=lib.bash
	. "$BATS_TEST_DIRNAME/lib.bash"
	log_restart
	baseline=$(kernel)
}

teardown() {
	udevd start
	put_away
}

udevd() { systemctl "$1" systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket; } # start | stop

# story KIND
story() {
	local kind=$1 dropped index n
	far_start "$kind" 0
	far_start "$kind" 1

	# without drop-ins the replies are the ISP's to drop
	client_start "$kind" 0
	client_start "$kind" 1
	settle
	dropped=$(isp_dropped)
	reaches far_pings 2a02::1 && return 1
	[ "$(isp_dropped)" -gt "$dropped" ]
	client_stop "$kind" 0
	client_stop "$kind" 1
	settle

	drop_ins
	client_start "$kind" 0
	client_start "$kind" 1
	wait_until 10 stand 0 1
	dropped=$(isp_dropped)
	carry 0 1
	exits 0 sixxs-route status
	exits 0 sixxs-route check
	[ -z "$(sixxs-route check)" ]

	# restarts: the same names, other links
	index=$(ifindex sixxs0)
	for n in 0 1; do
		client_stop "$kind" $n
		client_start "$kind" $n
	done
	[ "$(ifindex sixxs0)" -ne "$index" ]
	wait_until 10 stand 0 1
	carry 0 1

	# once more, while udevd is away: nothing but the watcher sees that
	udevd stop
	[ -z "$(pgrep -x systemd-udevd)" ]
	for n in 0 1; do
		client_stop "$kind" $n
		client_start "$kind" $n
	done
	wait_until 10 stand 0 1
	udevd start
	carry 0 1

	# down and up
	for n in 0 1; do
		ip link set dev sixxs$n down
		ip link set dev sixxs$n up
	done
	# the kernel may take an address with it
	for n in 0 1; do
		ip address replace "$(tunnel_address $n)/128" dev sixxs$n
	done
	wait_until 10 stand 0 1
	carry 0 1
	[ "$(isp_dropped)" -eq "$dropped" ]

	# one goes, the other stays
	client_stop "$kind" 1
	settle
	carry 0
	client_stop "$kind" 0
	settle
	assert_same "$baseline" "$(kernel)"
	[ -z "$(left_in /run/sixxs-route)" ]
	untroubled
}

@test "6in4 (sit): the story" { story sit; }

@test "GRE over IPv4: the story" { story gre; }

@test "GRE over IPv6: the story" { story ip6gre; }

@test "WireGuard by hand: the story" { story wireguard; }

@test "WireGuard by wg-quick, Table = off: the story" {
	wgquick_file 0
	wgquick_file 1
	story wgquick
}

@test "both families in one GRE tunnel: a route of each" {
	printf '[sixxs0]\nsource = auto\ntable = 200\n' | drop_in sixxs0
	far_start gre 0
	ip -n pop route add 10.9.0.1 dev tunnel0
	client_start gre 0
	ip address add 10.9.0.1/32 dev sixxs0
	wait_until 10 stand 0
	wait_until 10 eval 'routes4 200 | grep -q "^default dev sixxs0 proto sixxs"'
	reaches in_pop ping -n -c 1 -W "$SLOW" -I 198.51.100.2 10.9.0.1
	exits 0 sixxs-route status
	client_stop gre 0
	settle
	assert_same "$baseline" "$(kernel)"
}

@test "dummy: served like any link, up and down" {
	drop_ins
	ip link add sixxs0 type dummy
	settle
	rules | has '16383: from 2a02::1 lookup sixxs0 proto sixxs'
	sixxs-route status --json sixxs0 | jq -e '.tunnels[0].state == "waiting"'
	ip link set sixxs0 up
	wait_until 10 stand 0
	ip link set sixxs0 down
	ip link set sixxs0 up
	wait_until 10 stand 0
	ip link del sixxs0
	settle
	assert_same "$baseline" "$(kernel)"
}

# ---- VRF ----------------------------------------------------------------------------------------

# As the kernel's documentation has it, with an end to its table.
vrf_up() {
	ip link add red type vrf table 10 && ip link set red up &&
		ip -6 route replace unreachable default metric 4278198272 table 10
}

@test "a VRF beside it takes nothing" {
	drop_ins
	vrf_up
	ip link add beside type dummy
	ip link set beside master red up
	far_start sit 0
	client_start sit 0
	wait_until 10 stand 0
	pings_both_ways 0
	exits 0 sixxs-route status sixxs0
	[ -z "$(sixxs-route check)" ]
}

@test "suggest: a table that no VRF has, though it is empty" {
	ip link add sixxs0 type dummy
	sixxs-route suggest sixxs0 | grep -qx 'table = 200'
	ip link add red type vrf table 200
	[ -z "$(ip -6 route show table 200 2>/dev/null)" ]
	sixxs-route suggest sixxs0 | grep -qx 'table = 201'
}

@test "a tunnel in a VRF: status and check name the VRF and its table; out of it again all is well" {
	drop_ins
	vrf_up
	far_start sit 0
	client_start sit 0
	wait_until 10 stand 0
	pings_both_ways 0
	ip link set sixxs0 master red
	ip address replace 2a02::1/128 dev sixxs0
	wait_until 10 stand 0
	settle
	exits 1 sixxs-route status sixxs0 >/tmp/out
	grep -E '^  in the VRF +red, table 10: its rule 1000 comes first .* astray$' /tmp/out
	sixxs-route status --json sixxs0 | jq -e '.tunnels[0] | .state == "astray" and .vrf == {name: "red", table: 10, rule: 1000}'
	exits 0 sixxs-route check >/tmp/out
	grep -E "^$dropins/sixxs0.conf:1: warning: .*sixxs0 is in the VRF red.* 1000 .*table 10" /tmp/out

	# the far host's packets come in by the VRF, and what answers is not our rule
	pings_none 0
	ip link set sixxs0 nomaster
	wait_until 10 stand 0
	ip address replace 2a02::1/128 dev sixxs0
	pings_both_ways 0
	exits 0 sixxs-route status sixxs0
	[ -z "$(sixxs-route check)" ]
}
