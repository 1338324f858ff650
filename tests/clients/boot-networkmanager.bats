#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# NetworkManager beside us, with one tunnel that it has and one that it leaves alone:
# "tests/clients/run networkmanager".

# shellcheck source=socat.bash
. "$BATS_TEST_DIRNAME/socat.bash"

state() { nmcli -t -f GENERAL.STATE device show "$1"; }
connected() { [[ $(state "$1") == *'(connected)' ]]; }
unmanaged() { [[ $(state "$1") == *'(unmanaged)' ]]; }

# Its part.
setup() {
	wait_until 30 leased
	wait_until 30 connected net0
	wait_until 30 connected soc1
	wait_until 30 unmanaged soc0 # its client may be the last to start
}

@test "NetworkManager: after a boot both ways are right, and its lease and route are there" {
	ip route show default dev net0 | grep -q 'proto dhcp'
	ways_are_right
	nothing_leaked
}

@test "NetworkManager, restarted after us: it deletes nothing of ours, and its routes are as they were" {
	local routes
	routes=$(net0_routes)
	monitored rule
	monitored route
	systemctl restart NetworkManager.service
	wait_until 30 connected soc1
	wait_until 30 leased
	sleep 1
	unmonitored
	[ "$(deleted rule 'proto 166')" -eq 0 ]
	[ "$(deleted route 'proto 166')" -eq 0 ]
	ways_are_right
	nothing_leaked
	assert_same "$routes" "$(net0_routes)"
}

@test "NetworkManager, its own tunnel taken down and up, and applied anew: our route comes back" {
	nmcli connection down soc1
	wait_until 10 refused test -e /sys/class/net/soc1 # its device goes
	nmcli connection up soc1
	wait_until 30 connected soc1
	ways_are_right
	monitored rule
	nmcli device reapply soc1
	nmcli connection up soc1
	nmcli connection up net0
	wait_until 30 leased
	sleep 1
	unmonitored
	[ "$(deleted rule 'from .* lookup 300')" -eq 0 ]
	ways_are_right
	nothing_leaked
}

@test "NetworkManager, before us: both ways are right, and its routes are as they were" {
	we_start_beside net0_routes
	connected net0
	nothing_leaked
}

@test "NetworkManager: the clients restarted, killed, and the link that it leaves alone down and up" {
	clients_again
	ip link set soc0 down
	wait_until 10 table_empty 300
	ip link set soc0 up
	ways_are_right
	nothing_leaked
}
