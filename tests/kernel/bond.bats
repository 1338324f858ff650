#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A bond of two links is the second uplink: a section of its own, with a gateway of both families. Its
# members go down and come up, leave it and come back.

setup_file() {
	# shellcheck source=lib.bash
	. "$BATS_TEST_DIRNAME/lib.bash"
	modprobe bonding max_bonds=0
	# addresses outlive a link that is down
	sysctl -qw net.ipv6.conf.default.keep_addr_on_down=1
	topology_up && provider_up && install_here
}

setup() {
	# shellcheck source=lib.bash
	. "$BATS_TEST_DIRNAME/lib.bash"
	log_restart
	baseline=$(kernel)
}

teardown() {
	ip link del bond0 2>/dev/null || true
	ip link set port0 down
	ip link set port1 down
	in_isp ip link set port0 up
	in_isp ip link set port1 up
	put_away
}

# The second provider's side: two ports of one switch.
provider_up() {
	local n
	ip -n isp link add switch type bridge &&
		address isp switch 203.0.113.1/24 2001:300::1/64 || return
	for n in 0 1; do
		ip link add port$n type veth peer name port$n netns isp &&
			ip -n isp link set port$n up master switch || return
	done
	ip -n pop route add 203.0.113.0/24 via 198.51.100.1
}

# bond_up MODE
bond_up() {
	ip link add bond0 type bond mode "$1" miimon 50 &&
		ip link set port0 master bond0 &&
		ip link set port1 master bond0 &&
		address "" bond0 203.0.113.10/24 2001:300::10/64
}

# drop_in_bond [LINE...]
drop_in_bond() {
	{
		printf '[bond0]\nsource = auto\ntable = 302\ngateway = 203.0.113.1, 2001:300::1\n'
		printf '%s\n' "$@"
	} | drop_in bond0
}

# All that is wanted of it is there.
bond_stands() {
	rules | grep -qFx '16383: from 2001:300::10 lookup bond0 proto sixxs' &&
		rules4 | grep -qFx '16383: from 203.0.113.10 lookup bond0 proto sixxs' &&
		bond_routes
}
bond_routes() {
	routes 302 | grep -q '^default via 2001:300::1 dev bond0 proto sixxs metric 2048' &&
		routes4 302 | grep -q '^default via 203.0.113.1 dev bond0 proto sixxs metric 2048'
}
bond_no_routes() { [ -z "$(routes 302; routes4 302)" ]; }

answers6() { in_far ping -n -c 1 -W "$SLOW" 2001:300::10; }
answers4() { in_pop ping -n -c 1 -W "$SLOW" -I 198.51.100.2 203.0.113.10; }
answers() { reaches answers6 && reaches answers4; }

# By what the kernel has it: the one that sends.
active() { cat /sys/class/net/bond0/bonding/active_slave; }
another_than() { [ "$(active)" != "$1" ]; }
carrier_is() { [ "$(cat /sys/class/net/bond0/carrier)" = "$1" ]; }

@test "active-backup: the one that sends loses its cable, and the other takes over; the routes stay" {
	local sends
	bond_up active-backup
	settle
	wait_until 10 carrier_is 1
	reaches answers6 && return 1

	drop_in_bond
	replay bond0
	wait_until 10 bond_stands
	# which udev has it start, and systemd does when it comes to it
	wait_until 10 systemctl --quiet is-active sixxs-route.service
	answers
	exits 0 sixxs-route status bond0
	[ -z "$(sixxs-route check)" ]

	log_restart
	for _ in 1 2; do
		sends=$(active)
		in_isp ip link set "$sends" down
		wait_until 10 another_than "$sends"
		bond_stands
		answers
		exits 0 sixxs-route status bond0
		in_isp ip link set "$sends" up
	done
	# that a member goes and comes is nothing to tell
	logged 0 .
}

@test "balance-rr: a member goes down here, leaves, and comes back" {
	drop_in_bond
	bond_up balance-rr
	wait_until 10 bond_stands
	ip link set port0 down
	bond_stands
	answers
	ip link set port0 nomaster
	settle
	bond_stands
	answers
	exits 0 sixxs-route status bond0
	ip link set port0 master bond0
	ip link set port1 nomaster
	wait_until 10 carrier_is 1
	wait_until 10 bond_stands
	answers
	untroubled
}

@test "carrier = needed: both cables out, and one back in" {
	local n
	drop_in_bond 'carrier = needed' 'when_down = unreachable'
	bond_up active-backup
	wait_until 10 bond_stands
	answers
	for n in 0 1; do
		in_isp ip link set port$n down
	done
	wait_until 10 carrier_is 0
	wait_until 10 eval '! bond_routes'
	sixxs-route status --json bond0 | jq -e '.tunnels[0].state != "ok"'
	# nor by another uplink
	ip -6 route get 2001:200::1 from 2001:300::10 && return 1
	in_isp ip link set port1 up
	wait_until 10 bond_stands
	answers
	exits 0 sixxs-route status bond0
}

@test "by default: without carrier status tells so, and all is well once there is one" {
	local n
	drop_in_bond
	bond_up active-backup
	wait_until 10 bond_stands
	for n in 0 1; do
		in_isp ip link set port$n down
	done
	wait_until 10 carrier_is 0
	exits 1 sixxs-route status bond0 >/tmp/out
	grep -q 'carrier' /tmp/out
	in_isp ip link set port0 up
	wait_until 10 carrier_is 1
	wait_until 10 bond_stands
	answers
	exits 0 sixxs-route status bond0
}

@test "the bond goes down and up, and away: nothing is left" {
	drop_in_bond
	bond_up active-backup
	wait_until 10 bond_stands
	ip link set bond0 down
	wait_until 10 bond_no_routes
	ip link set bond0 up
	wait_until 10 bond_stands
	answers
	ip link del bond0
	settle
	assert_same "$baseline" "$(kernel)"
	[ -z "$(left_in /run/sixxs-route)" ]
	untroubled
}
