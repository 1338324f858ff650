#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# ifupdown beside us, with the uplink and one of the tunnels: "tests/clients/run ifupdown".

# shellcheck source=socat.bash
. "$BATS_TEST_DIRNAME/socat.bash"

setup() { # its part
	wait_until 30 leased
	ifquery --state net0
	ifquery --state soc1
}

@test "ifupdown: after a boot both ways are right, and its lease and routes are there" {
	pgrep -x dhclient
	ip -6 route show default dev net0 | grep -q 'via 2001::2'
	ways_are_right
	nothing_leaked
}

@test "ifupdown, restarted after us: both ways are right" {
	local routes
	routes=$(net0_routes)
	systemctl restart networking.service
	wait_until 30 leased
	ways_are_right
	nothing_leaked
	assert_same "$routes" "$(net0_routes)"
}

@test "ifupdown, its tunnel down and up, three times: its device goes and comes" {
	local before
	for _ in 1 2 3; do
		before=$(ifindex soc1)
		ifdown soc1
		[ ! -e /sys/class/net/soc1 ]
		ifup soc1
		[ "$(ifindex soc1)" != "$before" ]
		ways_are_right
	done
	nothing_leaked
}

@test "ifupdown, before us: both ways are right, and its routes are as they were" {
	we_start_beside net0_routes
	nothing_leaked
}

@test "ifupdown: the clients restarted, killed, and their links down and up" {
	clients_again
	links_flap
	ways_are_right
	nothing_leaked
}
