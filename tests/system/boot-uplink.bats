#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# gateway = auto and source = auto with the real systemd: systemd-networkd gets address and router by DHCP
# and by router advertisements, and its watcher follows.

# shellcheck source=tests/system/wait.bash
. "$BATS_TEST_DIRNAME/wait.bash"

teardown() {
	[ -n "${BATS_TEST_COMPLETED-}" ] || journalctl -b -n 60 --no-pager >&2
	[ -z "$server" ] || kill "$server"
}

server=""

by() { # LINK 4|6 SOURCE
	local to=203.0.113.1
	[ "$2" = 4 ] || to=2001:db8:f::1
	ip -"$2" route get $to from "$3" | grep -q " dev $1 "
}

via() { ip -"$1" route show table 301 2>/dev/null | grep -q "^default via $2 dev eth1 .*metric 2048"; }

address() { ip -6 -o address show dev eth1 scope global | sed -nE 's/.* inet6 ([^/]+).*/\1/p' | grep .; }

# A router says it again and again; each time there is a moment for whoever listens.
advertise() { ip netns exec pop "$BATS_TEST_DIRNAME/advertise" far1 "$1" && nap 0.3; } # LIFETIME
advertised() { advertise 1800 && via 6 fe80::fe; }
retracted() { advertise 0 && [ "$(ip -6 route show default dev eth1 | grep -c .)" -eq 0 ]; }

@test "two uplinks by systemd-networkd, DHCP and RA: replies leave by the second, all else by the first" {
	local ns found
	for ns in isp pop; do
		ip netns add $ns
		ip netns exec $ns sysctl -qw net.ipv6.conf.{all,default}.accept_dad=0
		ip -n $ns link set lo up
	done
	ip link add net0 type veth peer name host netns isp
	ip -n isp link set host up
	ip link add eth1 type veth peer name far1 netns pop
	ip -n pop link set far1 up
	ip -n pop address add 10.1.0.254/24 dev far1
	ip -n pop address add fe80::fe/64 dev far1
	printf '%s\n' 'start 10.1.0.7' 'end 10.1.0.7' 'interface far1' 'option subnet 255.255.255.0' 'option router 10.1.0.254' \
		'option lease 600' 'lease_file /run/udhcpd.leases' 'pidfile /run/udhcpd.pid' >/run/udhcpd.conf
	: >/run/udhcpd.leases
	ip netns exec pop busybox udhcpd -f /run/udhcpd.conf >/run/udhcpd.log 2>&1 3>&- &
	server=$!
	wait_until 30 via 4 10.1.0.254
	wait_until 30 advertised
	found=$(address)
	by eth1 4 10.1.0.7
	by eth1 6 "$found"
	by net0 4 192.0.2.1
	by net0 6 2001::1
	ip route get 203.0.113.1 | grep ' dev net0 '
	ip -6 route get 2001:db8:f::1 | grep ' dev net0 '
	sixxs-route status eth1
	# networkd configures it again: all of it goes and comes
	networkctl reconfigure eth1
	wait_until 30 via 4 10.1.0.254
	wait_until 30 advertised
	by eth1 4 10.1.0.7
	by eth1 6 "$(address)"
	# the router is none any more: the last one stays while the link is up
	wait_until 20 retracted
	via 6 fe80::fe
	by eth1 6 "$(address)"
	# down and up
	ip link set eth1 down
	ip link set eth1 up
	wait_until 30 via 4 10.1.0.254
	wait_until 30 advertised
	sixxs-route status eth1
}
