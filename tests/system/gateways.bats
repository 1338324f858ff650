#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# gateway = auto and route = none: the way is what a DHCP client, a router advertisement or somebody
# else has put into the tables, and packets take it.

# shellcheck source=packets.bash
. "$BATS_TEST_DIRNAME/packets.bash"

setup() {
	begin
	# which router a packet goes to is told by its address on the wire
	in_pop sysctl -qw net.ipv4.conf.all.arp_ignore=1
	capture_start
}

teardown() { packets_end put_away; }

put_away() {
	rm -rf /run/systemd/system
	ip nexthop flush >/dev/null 2>&1 || true
	in_pop sysctl -qw net.ipv4.conf.all.arp_ignore=0
}

section() {
	printf '%s\n' '[uplink]' 'interface = eth1' 'source = auto' 'gateway = auto' 'table = 301' 'wait = 0' | drop_in eth1
}

from() { [ "$1" = 4 ] && echo 10.1.0.1 || echo 2a02:1::1; }

# replies: what a server on eth1's address sends, both families
replies() { # LINK
	leaves "$1" ping_far 4 -I "$(from 4)" && leaves "$1" ping_far 6 -I "$(from 6)"
}

via() { # 4|6 GATEWAY|none
	local found
	found=$(ip "-$1" route show table 301 2>/dev/null | sed -nE 's/^default (via [^ ]+ )?dev eth1 .*/\1/p' | sed 's/^via //; s/ $//; s/^$/none/')
	[ "$found" = "$2" ]
}

both_via() { via 4 "$1" && via 6 "$2"; }

advertise() { in_pop "$BATS_TEST_DIRNAME/advertise" far1 "$1"; } # LIFETIME

dhcp_like() { # GATEWAY: what dhclient, ifupdown or networkd do
	ip route replace default via "$1" dev eth1 proto dhcp metric 1024
}

@test "two uplinks, addresses by DHCP and RA: the README's drop-in" {
	recipe 'A drop-in: two uplinks'
	sample uplink eth1
	exits 0 "$handler" check
	# where systemd runs, no event waits
	mkdir -p /run/systemd/system
	watch_start
	far_end eth1 1
	settle
	sysctl -qw net.ipv6.conf.eth1.accept_ra=2
	ip link set eth1 up
	ip address add 10.1.0.1/24 dev eth1
	leaves net0 ping_far 4 -I 10.1.0.1
	dhcp_like 10.1.0.254
	wait_until 10 via 4 10.1.0.254
	leaves eth1 ping_far 4 -I 10.1.0.1
	answered 4 -I 10.1.0.1
	# the kernel makes address and default of one advertisement
	advertise 1800
	wait_until 10 autoconfigured
	wait_until 10 via 6 fe80::fe
	ip -6 route show default dev eth1 | grep 'proto ra'
	local address
	address=$(autoconfigured)
	ip -n pop -6 route replace default via fe80::1 dev far1 2>/dev/null || true
	leaves eth1 ping_far 6 -I "$address"
	# main's default is another's
	leaves net0 ping_far 4
	leaves net0 ping_far 6
	exits 0 "$handler" status eth1
	# the router takes it back: its last one stays while the link is up
	advertise 0
	wait_until 10 retracted
	watch_answered
	via 6 fe80::fe
	leaves eth1 ping_far 6 -I "$address"
	untroubled
}

autoconfigured() { ip -6 -o address show dev eth1 scope global dynamic | sed -nE 's/.* inet6 ([^/]+).*/\1/p' | grep .; }
retracted() { ! ip -6 route show default dev eth1 | grep -q 'proto ra'; }

@test "gateway = auto, by the watcher: comes, changes, goes, comes; both families, packets each time" {
	section
	watch_start
	uplink eth1 1
	ip -n pop address add 10.1.0.253/24 dev far1
	ip -n pop address add fe80::fd/64 dev far1
	replies net0
	dhcp_like 10.1.0.254
	ip -6 route add default via fe80::fe dev eth1 proto ra metric 1024000
	wait_until 10 both_via 10.1.0.254 fe80::fe
	replies eth1
	answered 4 -I "$(from 4)"
	answered 6 -I "$(from 6)"
	ip route replace default via 10.1.0.253 dev eth1 proto dhcp metric 1024
	ip -6 route replace default via fe80::fd dev eth1 proto ra metric 1024000
	wait_until 10 both_via 10.1.0.253 fe80::fd
	replies eth1
	# a better one beside it, and away again
	ip route add default via 10.1.0.254 dev eth1 metric 512
	ip -6 route add default via fe80::fe dev eth1 metric 512
	wait_until 10 both_via 10.1.0.254 fe80::fe
	ip route del default dev eth1 metric 512
	ip -6 route del default dev eth1 metric 512
	wait_until 10 both_via 10.1.0.253 fe80::fd
	replies eth1
	# none: the last one stays as long as the link is up
	ip route del default dev eth1
	ip -6 route del default dev eth1
	watch_answered
	both_via 10.1.0.253 fe80::fd
	replies eth1
	dhcp_like 10.1.0.254
	ip -6 route add default via 2a02:1::fe dev eth1 metric 2000
	wait_until 10 both_via 10.1.0.254 2a02:1::fe
	replies eth1
	leaves net0 ping_far 4
	leaves net0 ping_far 6
	untroubled
}

# leases ROUTER: a DHCP server of the far side's link, that names this router
leases() {
	server_stop
	printf '%s\n' 'start 10.1.0.1' 'end 10.1.0.1' 'interface far1' 'option subnet 255.255.255.0' \
		'option lease 10' "option router $1" 'lease_file /tmp/udhcpd.leases' 'pidfile /tmp/udhcpd.pid' >/tmp/udhcpd.conf
	: >/tmp/udhcpd.leases
	ip netns exec pop busybox udhcpd -f /tmp/udhcpd.conf >/tmp/udhcpd.log 2>&1 3>&- &
	server=$!
}

# dhcp_client: what every client does with a lease: an address, and a default by its router. It asks
# again after half of the ten seconds.
dhcp_client() {
	cat >/tmp/udhcpc.script <<-'END'
		#!/bin/sh
		case $1 in
		deconfig) ip -4 address flush dev "$interface" ;;
		bound | renew)
			ip address replace "$ip/24" dev "$interface"
			ip route replace default via "$router" dev "$interface" proto dhcp metric 1024
			;;
		esac
	END
	chmod +x /tmp/udhcpc.script
	busybox udhcpc -f -n -q -i eth1 -s /tmp/udhcpc.script >/tmp/udhcpc.log 2>&1 3>&-
}

@test "gateway = auto: a DHCP client gets a lease, another router, and none" {
	section
	watch_start
	far_end eth1 1
	ip -n pop address add 10.1.0.253/24 dev far1
	ip link set eth1 up
	settle
	leases 10.1.0.254
	dhcp_client || { cat /tmp/udhcp*.log && return 1; }
	wait_until 10 via 4 10.1.0.254
	leaves eth1 ping_far 4 -I 10.1.0.1
	answered 4 -I 10.1.0.1
	leaves net0 ping_far 4
	exits 0 "$handler" status eth1
	leases 10.1.0.253
	dhcp_client
	wait_until 10 via 4 10.1.0.253
	leaves eth1 ping_far 4 -I 10.1.0.1
	# the lease ends: the client takes all of it away
	interface=eth1 /tmp/udhcpc.script deconfig
	wait_until 10 unruled4
	leaves net0 ping_far 4
	untroubled
}

unruled4() { [ "$(ip -4 rule | grep -c 'proto sixxs')" -eq 0 ]; }

@test "gateway = auto: ifupdown's static gateway, and what ifdown takes away" {
	command -v ifup >/dev/null || skip 'no ifupdown here'
	section
	watch_start
	far_end eth1 1
	settle
	mkdir -p /etc/network /run/network
	printf '%s\n' 'iface eth1 inet static' 'address 10.1.0.1' 'netmask 255.255.255.0' 'gateway 10.1.0.254' \
		'metric 1024' >/etc/network/interfaces
	ifup eth1
	wait_until 10 via 4 10.1.0.254
	leaves eth1 ping_far 4 -I 10.1.0.1
	answered 4 -I 10.1.0.1
	leaves net0 ping_far 4
	ifdown eth1
	wait_until 10 unruled4
	ip address add 10.1.0.1/24 dev eth1
	leaves net0 ping_far 4 -I 10.1.0.1
	untroubled
}

@test "gateway = auto: inside a multipath route, a nexthop object, and one of both" {
	section
	uplink eth1 1
	uplink eth2 2
	ip route add default metric 700 nexthop via 10.2.0.254 dev eth2 nexthop via 10.1.0.254 dev eth1
	ip -6 route add default metric 700 nexthop via fe80::fe dev eth2 nexthop via fe80::fe dev eth1
	$handler apply eth1
	both_via 10.1.0.254 fe80::fe
	replies eth1
	ip route del default metric 700
	ip -6 route del default metric 700
	$handler remove eth1
	replies net0
	ip nexthop add id 41 via 10.1.0.254 dev eth1
	ip nexthop add id 61 via 2a02:1::fe dev eth1
	ip route add default nhid 41 metric 700
	ip -6 route add default nhid 61 metric 700
	$handler apply eth1
	both_via 10.1.0.254 2a02:1::fe
	replies eth1
	ip route del default metric 700
	ip -6 route del default metric 700
	$handler remove eth1
	ip nexthop add id 42 via 10.2.0.254 dev eth2
	ip nexthop add id 62 via fe80::fe dev eth2
	ip nexthop add id 49 group 42/41
	ip nexthop add id 69 group 62/61
	ip route add default nhid 49 metric 700
	ip -6 route add default nhid 69 metric 700
	$handler apply eth1
	both_via 10.1.0.254 2a02:1::fe
	replies eth1
	leaves net0 ping_far 4
	untroubled
}

@test "gateway = auto: a route without a gateway, as by ppp" {
	section
	tunnel_add ppp0
	uplink eth1 1
	in_pop sysctl -qw net.ipv4.conf.all.arp_ignore=0
	ip route add default dev eth1 metric 700
	ip -6 route add default dev eth1 metric 700
	$handler apply eth1
	both_via none none
	replies eth1
	answered 4 -I "$(from 4)"
	answered 6 -I "$(from 6)"
	leaves net0 ping_far 4
}

@test "gateway = auto without the watcher: waited for as the address is, and the log says what is pending" {
	local family
	for family in 4 6; do
		section
		sed -i "s/^wait.*/wait = 20/; s/^source.*/source = $(from $family)/" /etc/sixxs-route/conf.d/eth1.conf
		far_end eth1 1
		ip link set eth1 up
		wait_until 10 handler_waits
		addressed eth1 1
		wait_until 10 handler_waits
		[ $family = 6 ] || dhcp_like 10.1.0.254
		[ $family = 4 ] || ip -6 route add default via fe80::fe dev eth1 proto ra metric 1024000
		settle
		via $family "$([ $family = 4 ] && echo 10.1.0.254 || echo fe80::fe)"
		leaves eth1 ping_far $family -I "$(from $family)"
		untroubled
		ip link del eth1
		settle
	done
	section
	sed -i "s/^wait.*/wait = $SLOW/" /etc/sixxs-route/conf.d/eth1.conf # it is up before that
	uplink eth1 1
	log_lines | has "daemon.warn eth1: main still has no default route by the link after $SLOW s: its own is pending; once there is one, run: sixxs-route apply eth1"
	replies net0
}

@test "route = none: rules only; who fills the table steers, and nothing in it is ours" {
	printf '[eth1]\nsource = auto\nroute = none\ntable = 301\nwait = 0\n' | drop_in eth1
	uplink eth1 1
	$handler apply eth1
	replies net0
	[ "$(ip route show table 301 2>/dev/null | wc -l)" -eq 0 ]
	# as by networkd's RouteTable=
	ip route add default via 10.1.0.254 dev eth1 table 301 proto dhcp
	ip -6 route add default via fe80::fe dev eth1 table 301 proto ra
	replies eth1
	exits 0 "$handler" status eth1
	exits 0 "$handler" apply eth1
	exits 0 "$handler" apply --all
	replies eth1
	leaves net0 ping_far 4
	leaves net0 ping_far 6
	$handler remove eth1
	replies net0
	ip route show table 301 | grep '^default via 10.1.0.254 '
	ip -6 route show table 301 | grep '^default via fe80::fe '
	untroubled
	# main itself, before another's rule that would have it
	printf '[eth1]\nsource = auto\nroute = none\ntable = 254\npriority = 99\nwait = 0\n' | drop_in eth1
	ip rule add from all lookup 301 priority 100
	ip -6 rule add from all lookup 301 priority 100
	replies eth1
	$handler apply eth1
	replies net0
	leaves eth1 ping_far 4 -I 192.0.2.1
	leaves eth1 ping_far 6 -I 2001::1
	ip rule del priority 100
	ip -6 rule del priority 100
	$handler remove eth1
}
