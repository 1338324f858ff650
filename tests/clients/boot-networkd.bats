#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# systemd-networkd beside us, which has other links and one of the tunnels: "tests/clients/run networkd".

# shellcheck source=socat.bash
. "$BATS_TEST_DIRNAME/socat.bash"
setting=/etc/systemd/networkd.conf.d/foreign.conf

setup() {
	wait_until 30 leased
	[[ $(networkctl list --no-pager --no-legend net0) == *configured* ]]
}

# Its part: it deletes our rule of the first tunnel, on which it has no claim, when it configures net0.
reconfigured() { # LINK
	for _ in 1 2 3 4 5 6 7 8; do
		networkctl reconfigure "$1"
		sleep 0.5
	done
}

@test "networkd, by its defaults: after a boot both ways are right, and its lease and route are there" {
	leased
	ip route show default dev net0 | grep -q 'proto dhcp'
	[[ $(networkctl list --no-pager --no-legend soc1) == *configured* ]]
	ways_are_right
}

@test "networkd, by its defaults, after us: it deletes our rules, and they come back" {
	local routes
	routes=$(net0_routes)
	monitored rule
	systemctl restart systemd-networkd.service
	wait_until 20 leased
	reconfigured net0
	wait_until 10 some_deleted rule 'from 2a02:10::2 lookup 300'
	unmonitored
	ways_are_right
	assert_same "$routes" "$(net0_routes)"
	forgive
	sleep 1
	nothing_leaked
}

@test "networkd, by its defaults: it deletes our route on the link that it has, and that comes back" {
	monitored route
	reconfigured soc1
	wait_until 10 some_deleted route 'dev soc1 table 301 proto 166'
	unmonitored
	ways_are_right
}

@test "networkd, by its defaults, before us: both ways are right, and its routes are as they were" {
	we_start_beside net0_routes
	[[ $(networkctl list --no-pager --no-legend net0) == *configured* ]]
	leased
}

@test "networkd with both ManageForeign settings off: it deletes none, and nothing leaks" {
	mkdir -p ${setting%/*}
	printf '%s\n' '[Network]' ManageForeignRoutingPolicyRules=no ManageForeignRoutes=no >$setting
	systemctl restart systemd-networkd.service
	wait_until 20 leased
	sleep 1
	ways_are_right
	forgive
	monitored rule
	monitored route
	reconfigured net0
	systemctl restart systemd-networkd.service
	wait_until 20 leased
	sleep 1
	unmonitored
	[ "$(deleted rule 'from .* lookup 300')" -eq 0 ] # of the others we delete one ourselves, with its address
	ways_are_right
	nothing_leaked
}

@test "networkd with both settings off: its own tunnel, reconfigured" {
	monitored rule
	reconfigured soc1
	unmonitored
	[ "$(deleted rule 'from .* lookup 300')" -eq 0 ]
	ways_are_right
	nothing_leaked
}

@test "networkd with both settings off: the clients restarted, killed, and their links down and up" {
	clients_again
	links_flap
	ways_are_right
	nothing_leaked
}
