#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# bound, from_link and user: which packets take the section's way, and that others do not.

# shellcheck source=packets.bash
. "$BATS_TEST_DIRNAME/packets.bash"

setup_file() { setup_router; }

teardown() {
	in_pop sysctl -qw net.ipv4.conf.all.arp_ignore=0
	packets_end hosts_gone lan1 lan2
}

# bound_far 4|6 LINK: a datagram of a socket that is bound to the link (SO_BINDTODEVICE)
bound_far() {
	local to=far$1
	echo x | socat -u - "UDP$1-DATAGRAM:[${!to}]:9,bindtodevice=$2"
}

curl_far() { # 4|6 LINK
	local to=far$1
	curl -s -m 1 --interface "if!$2" "http://[${!to}]/" 2>/dev/null || curl -s -m 1 --interface "if!$2" "http://${!to}/"
}

@test "bound = yes: ping -I, SO_BINDTODEVICE and curl --interface leave by the link, all else by net0" {
	uplink sixxs0 1
	printf '[sixxs0]\nbound = yes\ngateway = 10.1.0.254, fe80::fe\ntable = 300\n' | drop_in sixxs0
	local family
	# without a route IPv4 takes everybody for a neighbour of the link: as a router does, none answers that
	in_pop sysctl -qw net.ipv4.conf.all.arp_ignore=1
	for family in 4 6; do
		# main knows no way by the link: not one packet goes out by it, nor elsewhere
		leaves none bound_far $family sixxs0
		exits 1 answered $family -I sixxs0
	done
	$handler apply sixxs0
	for family in 4 6; do
		leaves sixxs0 ping_far $family -I sixxs0
		answered $family -I sixxs0
		leaves sixxs0 bound_far $family sixxs0
		leaves sixxs0 curl_far $family sixxs0
		leaves net0 ping_far $family
		leaves net0 bound_far $family net0
		answered $family
	done
	exits 0 "$handler" status sixxs0
	# neighbours are reached at once, not by way of the gateway
	capture sixxs0 -Q out icmp or icmp6
	ping -4 -n -c 1 -W "$SLOW" -I sixxs0 10.1.0.254
	ip -n pop address add 10.1.0.77/24 dev far1
	ip -n pop address add 2a02:1::77/64 dev far1
	ping -4 -n -c 1 -W "$SLOW" -I sixxs0 10.1.0.77
	ping -6 -n -c 1 -W "$SLOW" -I sixxs0 2a02:1::77
	ping -6 -n -c 1 -W "$SLOW" -I sixxs0 fe80::fe
	ping -6 -n -c 1 -W "$SLOW" fe80::fe%sixxs0
	[ "$(captured sixxs0 | grep -c 'echo request')" -eq 5 ]
	untroubled
}

@test "bound = yes without prefer_main: a neighbour is lost to the gateway, and so the default is yes" {
	uplink sixxs0 1
	printf '[sixxs0]\nbound = yes\ngateway = 10.1.0.253, fe80::fd\nprefer_main = no\ntable = 300\n' | drop_in sixxs0
	$handler apply sixxs0
	exits 1 ping -4 -n -c 1 -W "$SLOW" -I sixxs0 10.1.0.254
	exits 1 ping -6 -n -c 1 -W "$SLOW" -I sixxs0 2a02:1::fe
	printf '[sixxs0]\nbound = yes\ngateway = 10.1.0.253, fe80::fd\ntable = 300\n' | drop_in sixxs0
	$handler apply sixxs0
	ping -4 -n -c 1 -W "$SLOW" -I sixxs0 10.1.0.254
	ping -6 -n -c 1 -W "$SLOW" -I sixxs0 2a02:1::fe
	ping -6 -n -c 1 -W "$SLOW" -I sixxs0 fe80::fe
}

@test "bound = yes: a rename carries it over, to the section of the new name" {
	uplink sixxs0 1
	printf '[sixxs0]\nbound = yes\ngateway = 10.1.0.254, fe80::fe\ntable = 300\n' | drop_in sixxs0
	printf '[sixxs1]\nbound = yes\ngateway = 10.1.0.254, fe80::fe\ntable = 301\n' | drop_in sixxs1
	$handler apply sixxs0
	leaves sixxs0 ping_far 4 -I sixxs0
	ip link set sixxs0 down
	ip link set sixxs0 name sixxs1
	ip link set sixxs1 up
	settle
	ip address replace 2a02:1::1/64 dev sixxs1 # IPv6 loses it with the link
	$handler apply sixxs1
	local family
	for family in 4 6; do
		leaves sixxs1 ping_far $family -I sixxs1
		answered $family -I sixxs1
		leaves net0 ping_far $family
	done
	rules | has '16383: from all oif sixxs1 lookup sixxs1 proto sixxs'
	[ "$(ip -4 rule | grep -c sixxs0)" -eq 0 ]
	[ "$(ip -6 rule | grep -c sixxs0)" -eq 0 ]
	[ "$(ip route show table 300 2>/dev/null | wc -l)" -eq 0 ]
}

lan() { # N: a LAN with one host, behind br-lan (1) or br-lan2
	local bridge=br-lan
	[ "$1" = 1 ] || bridge=br-lan$1
	host_behind "$bridge" "lan$1" "lanport$1" "172.16.$1" 24 "2001:db8:48:$1"
	settle
}

from_lan() { # N 4|6 [OPTION...]: its host pings the far one
	local ns=lan$1
	shift
	ip netns exec "$ns" bash -c "$(declare -f ping_far); far4=$far4 far6=$far6; ping_far $*"
}

@test "from_link: what is forwarded for a LAN, while a second LAN, the host and their neighbours go on" {
	# the bridges do not exist yet
	uplink wg2 1
	cp "$repo/conf.d/lan.conf" /etc/sixxs-route/conf.d/wg2.conf
	$handler apply wg2
	rules | has '16383: from all iif br-lan [detached] lookup lan proto sixxs'
	lan 1
	lan 2
	exits 0 "$handler" check
	local family
	for family in 4 6; do
		leaves wg2 from_lan 1 $family
		from_lan 1 $family | grep ' bytes from '
		leaves net0 from_lan 2 $family
		leaves net0 ping_far $family
	done
	# the LANs reach each other, and the router
	ip netns exec lan1 ping -n -c 1 -W "$SLOW" 172.16.2.2
	ip netns exec lan1 ping -n -c 1 -W "$SLOW" 2001:db8:48:2::2
	ip netns exec lan2 ping -n -c 1 -W "$SLOW" 2001:db8:48:1::2
	ip netns exec lan1 ping -n -c 1 -W "$SLOW" 172.16.1.1
	ip netns exec lan1 ping -n -c 1 -W "$SLOW" 2001:db8:48:2::1
	exits 0 "$handler" status wg2
	# the bridge is made anew
	ip link del br-lan
	hosts_gone lan1
	lan 1
	for family in 4 6; do
		leaves wg2 from_lan 1 $family
	done
	$handler remove wg2
	for family in 4 6; do
		leaves net0 from_lan 1 $family
	done
}

@test "from_link: without prefer_main the second LAN is not reached" {
	uplink wg2 1
	lan 1
	lan 2
	printf '[wg2]\nfrom_link = br-lan, br-lan2\ntable = 306\nprefer_main = no\n' | drop_in wg2
	$handler apply wg2
	leaves wg2 from_lan 1 4
	leaves wg2 from_lan 2 6
	exits 1 ip netns exec lan1 ping -n -c 1 -W "$SLOW" 172.16.2.2
	exits 1 ip netns exec lan1 ping -n -c 1 -W "$SLOW" 2001:db8:48:2::2
	printf '[wg2]\nfrom_link = br-lan, br-lan2\ntable = 306\n' | drop_in wg2
	$handler apply wg2
	ip netns exec lan1 ping -n -c 1 -W "$SLOW" 172.16.2.2
	ip netns exec lan1 ping -n -c 1 -W "$SLOW" 2001:db8:48:2::2
}

@test "a routed /48 for a LAN: the recipe" {
	uplink SixxsOffice 1
	lan 1
	lan 2
	ip netns exec pop ip -6 route add 2001:db8:48::/48 via 2a02:1::1
	local family=6
	leaves net0 from_lan 1 6
	recipe 'A routed /48 for a LAN'
	sample routed-prefix SixxsOffice
	exits 0 "$handler" check
	$handler apply --all
	for n in 1 2; do
		leaves SixxsOffice from_lan $n 6
		from_lan $n 6 | grep ' bytes from '
	done
	leaves net0 from_lan 1 4
	leaves net0 ping_far 6
	ip netns exec lan1 ping -n -c 1 -W "$SLOW" 2001:db8:48:2::2
	ip netns exec lan1 ping -n -c 1 -W "$SLOW" 2001:db8:48:1::1
	# the host's own address of the prefix
	leaves SixxsOffice ping_far 6 -I 2001:db8:48:1::1
	# while the link is down nothing of it leaves elsewhere; the LANs still reach each other
	ip link set SixxsOffice down
	leaves none from_lan 1 6
	leaves none ping_far 6 -I 2001:db8:48:1::1
	leaves net0 ping_far 6
	ip netns exec lan1 ping -n -c 1 -W "$SLOW" 2001:db8:48:2::2
}

@test "a host's address and a routed prefix: one section, and two as the manual says" {
	local link
	ip address add 2001:db8:48::1/128 dev lo
	for link in lan9 SixxsOffice; do
		ip link add $link type ifb
		ip link set $link up
	done
	ip -6 route add 2001:db8:f::/48 dev lan9
	settle
	way() { ip -6 route get 2001:db8:f::9 from 2001:db8:48::1 | grep -o ' dev [^ ]*'; }
	local priority
	drop_in SixxsOffice <<<$'[SixxsOffice]\nsource = 2001:db8:48::1, 2001:db8:48::/48\ntable = 202'
	$handler apply SixxsOffice
	assert_same ' dev lan9' "$(way)"
	priority=$(sed -n "/^A host's address and a routed prefix/,/^\.It/s/^\.Ql \(priority = [0-9]*\).*/\1/p" \
		"$repo/handler/dist/sixxs-route.8")
	drop_in SixxsOffice <<-END
		[host]
		interface = SixxsOffice
		source = 2001:db8:48::1
		table = 203
		prefer_main = no
		$priority
		[net]
		interface = SixxsOffice
		source = 2001:db8:48::/48
		table = 202
	END
	assert_same '' "$(exits 0 $handler check)"
	$handler apply SixxsOffice
	assert_same ' dev SixxsOffice' "$(way)"
	# without it the prefix's rule for main comes first, and check says so
	sed -i '/^priority/d' /etc/sixxs-route/conf.d/SixxsOffice.conf
	exits 0 $handler check | grep -q 'source 2001:db8:48::1 lies within .*: set its priority below 16382'
	$handler apply SixxsOffice
	assert_same ' dev lan9' "$(way)"
	ip address del 2001:db8:48::1/128 dev lo
}

@test "user: one user's programs, a range, a name; nobody else's" {
	uplink wg1 1
	printf '[wg1]\nuser = 1999\ntable = 303\ngateway = 10.1.0.254, 2a02:1::fe\n' | drop_in wg1
	local family
	for family in 4 6; do
		leaves net0 user_far $family 1999
	done
	$handler apply wg1
	for family in 4 6; do
		leaves wg1 user_far $family 1999
		leaves net0 user_far $family 2000
		leaves net0 user_far $family 1998
		leaves net0 user_far $family 0
		leaves wg1 as_user 1999 ping -"$family" -n -c 1 -W "$SLOW" "$([ $family = 4 ] && echo "$far4" || echo "$far6")"
	done
	# his neighbours are still his
	as_user 1999 ping -n -c 1 -W "$SLOW" 192.0.2.2
	as_user 1999 ping -n -c 1 -W "$SLOW" 2001::2
	exits 0 "$handler" status wg1
	printf '[wg1]\nuser = 1998-2000\ntable = 303\n' | drop_in wg1
	$handler apply wg1
	for family in 4 6; do
		leaves wg1 user_far $family 2000
		leaves wg1 user_far $family 1998
		leaves net0 user_far $family 2001
		leaves net0 user_far $family 1997
	done
	printf '[wg1]\nuser = nobody\ntable = 303\n' | drop_in wg1
	$handler apply wg1
	for family in 4 6; do
		leaves wg1 user_far $family "$(id -u nobody)"
		leaves net0 user_far $family 1999
	done
}

@test "one user's traffic: the recipe" {
	uplink wg1 1
	leaves net0 user_far 4 1999
	recipe "One user's traffic"
	sample user wg1
	exits 0 "$handler" check
	$handler apply --all
	for family in 4 6; do
		leaves wg1 user_far $family 1999
		leaves net0 user_far $family 1998
	done
	ip link del wg1
	settle
	for family in 4 6; do
		leaves none user_far $family 1999
		leaves net0 user_far $family 1998
	done
	$handler remove wg1
	leaves net0 user_far 6 1999
}
