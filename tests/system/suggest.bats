#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# suggest: a drop-in for a link as it stands.

# shellcheck source=lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	begin
	tunnel_add wg0
	tunnel_up wg0
	settle
}

teardown() {
	ip -6 rule del priority 100 2>/dev/null || true
	ip -4 route flush table 201 2>/dev/null || true
	ip -6 route flush table 203 2>/dev/null || true
	rm -f /etc/iproute2/rt_tables.d/mine.conf
	finish
}

# as the shell does it: the file is empty when the program begins
into_file() {
	mkdir -p /etc/sixxs-route/conf.d
	$handler suggest "$1" >/etc/sixxs-route/conf.d/"$1".conf
}

has_key() { grep -qFx -- "$1" /etc/sixxs-route/conf.d/wg0.conf; }

@test "a newcomer's way: suggest, check, apply, status" {
	ip address add 2a02::1/128 dev wg0
	ip address add 198.51.100.7/32 dev wg0
	before=$(kernel)
	into_file wg0
	assert_same "$before" "$(kernel)"
	assert_same "$(printf '[wg0]\nsource = auto\ntable = 200')" "$(grep -v '^#' /etc/sixxs-route/conf.d/wg0.conf | grep .)"
	has_key '#   2a02::1'
	has_key '#   198.51.100.7'
	exits 0 $handler check /etc/sixxs-route/conf.d/wg0.conf
	exits 0 $handler apply wg0
	[ "$(routes 200)" = 'default dev wg0 proto sixxs metric 2048 pref medium' ]
	rules | has '16383: from 2a02::1 lookup wg0 proto sixxs'
	rules4 | has '16383: from 198.51.100.7 lookup wg0 proto sixxs'
	[ "$(grep -cE '.{81}' /etc/sixxs-route/conf.d/wg0.conf)" = 0 ]
}

@test "a table that no drop-in, name, rule or route uses" {
	printf '[sixxs0]\nsource = 2a02::9\ntable = 200\n' | drop_in sixxs0
	ip -4 route add blackhole 203.0.113.0/24 table 201
	echo '202 mine' >/etc/iproute2/rt_tables.d/mine.conf
	ip -6 route add blackhole 2001:db8::/32 table 203
	ip -6 rule add priority 100 from 2001:db8::1 lookup 204
	into_file wg0
	has_key 'table = 205'
	exits 0 $handler check /etc/sixxs-route/conf.d/wg0.conf
}

@test "gateway = auto where main has a default route by the link" {
	ip address add 2a02::1/64 dev wg0
	ip -6 route add default via 2a02::ff dev wg0 metric 4000
	into_file wg0
	has_key 'gateway = auto'
	has_key '#   2a02::ff for IPv6'
	exits 0 $handler check /etc/sixxs-route/conf.d/wg0.conf
	exits 0 $handler apply wg0
	[ "$(routes 200)" = 'default via 2a02::ff dev wg0 proto sixxs metric 2048 onlink pref medium' ]
}

@test "the next hop that it names is the one that gateway = auto takes" {
	tunnel_del wg0
	ip link add wg0 type veth peer name far0
	ip link set far0 up
	ip link set wg0 up
	settle
	ip address add 2a02::1/64 dev wg0 nodad
	ip -6 route add default via 2a02::fe dev wg0 metric 4000
	ip -6 route add default via 2a02::ff dev wg0 metric 5000
	into_file wg0
	has_key '#   2a02::fe for IPv6'
	exits 0 $handler apply wg0
	[ "$(routes 200)" = 'default via 2a02::fe dev wg0 proto sixxs metric 2048 onlink pref medium' ]
	ip -6 route flush default dev wg0
	exits 0 $handler remove wg0
	# of an object the kernel then says no more than its number
	sysctl -qw net.ipv4.nexthop_compat_mode=0
	ip nexthop add id 5 via 2a02::fd dev wg0
	ip -6 route add default nhid 5 metric 4000
	into_file wg0
	sysctl -qw net.ipv4.nexthop_compat_mode=1
	has_key 'gateway = auto'
	has_key '#   2a02::fd for IPv6'
	ip link del wg0
}

@test "a next hop of one family alone: what it does not know of the other" {
	ip address add 2a02::1/64 dev wg0
	ip address add 198.51.100.7/24 dev wg0
	ip route add default via 198.51.100.1 dev wg0 metric 4000
	into_file wg0
	has_key 'gateway = auto'
	has_key '#   198.51.100.1 for IPv4'
	has_key '# Not known: that for IPv6, of which main has no default route by this link.'
	exits 0 $handler check /etc/sixxs-route/conf.d/wg0.conf
	# with no address of the other family there is nothing to tell
	ip address del 2a02::1/64 dev wg0
	into_file wg0
	exits 1 grep '^# Not known' /etc/sixxs-route/conf.d/wg0.conf
	[ "$(grep -cE '.{81}' /etc/sixxs-route/conf.d/wg0.conf)" = 0 ]
}

@test "what it could not know: a next hop, a broken drop-in; and a section elsewhere" {
	ip link add eth7 type veth peer name eth8
	ip link set eth7 up
	settle
	printf '[x\n' | drop_in broken
	printf '[two]\ninterface = eth7\nsource = 2a02::7\ntable = 200\n' | drop_in others
	found=$($handler suggest eth7)
	grep -qFx '#gateway =' <<<"$found"
	grep -qF '# Not known: its next hop.' <<<"$found"
	grep -qF '# Not known: what /etc/sixxs-route/conf.d/broken.conf uses' <<<"$found"
	grep -qF '# There is a section for it in /etc/sixxs-route/conf.d/others.conf' <<<"$found"
	grep -qF '# Packets from its own addresses. It has none of global scope yet' <<<"$found"
	grep -qFx 'table = 201' <<<"$found"
	echo '900 others' >/etc/iproute2/rt_tables.d/others.conf
	chmod 600 /etc/iproute2/rt_tables.d/others.conf
	found=$(setpriv --reuid=65534 --clear-groups $handler suggest eth7)
	rm /etc/iproute2/rt_tables.d/others.conf
	grep -qFx '# Not known: the tables named in /etc/iproute2/rt_tables.d/others.conf, which cannot be read.' <<<"$found"
	ip link del eth7
}

@test "more addresses than source = auto can follow" {
	for i in {1..65}; do
		printf 'address add 2a02::%x/64 dev wg0 nodad\n' "$i"
	done | ip -batch -
	into_file wg0
	has_key 'source = auto/prefix'
	exits 0 $handler check /etc/sixxs-route/conf.d/wg0.conf
}

@test "a name that another table has" {
	echo '4711 wg0' >/etc/iproute2/rt_tables.d/mine.conf
	into_file wg0
	has_key 'name = none'
	exits 0 $handler check /etc/sixxs-route/conf.d/wg0.conf
}

@test "an alternative name of a link: which is its own; check, apply and status say so too" {
	local said='thetunnel: this is an alternative name of the link wg0: only its own name counts'
	ip link property add dev wg0 altname thetunnel
	exits 1 $handler suggest thetunnel >/tmp/out 2>/tmp/err
	assert_same "sixxs-route: $said" "$(</tmp/err)"
	[ ! -s /tmp/out ]
	exits 1 $handler apply thetunnel 2>/tmp/err
	assert_same "sixxs-route: $said" "$(</tmp/err)"
	exits 2 $handler status thetunnel 2>/tmp/err >/tmp/out
	grep -qF "$said" /tmp/err
	printf '[thetunnel]\nsource = auto\ntable = 200\n' | drop_in thetunnel
	exits 0 $handler check >/tmp/out
	grep -qFx "/etc/sixxs-route/conf.d/thetunnel.conf:1: warning: $said" /tmp/out
	# not of a link's own name, nor of none
	into_file wg0
	rm /etc/sixxs-route/conf.d/thetunnel.conf
	printf '[nolink]\nsource = 2a02::9\ntable = 209\n' | drop_in nolink
	exits 0 $handler check >/tmp/out
	exits 1 grep 'alternative' /tmp/out
}

@test "no such link, no name, two names; an output that is full" {
	exits 1 $handler suggest nolink
	exits 2 $handler suggest
	exits 2 $handler suggest wg0 wg1
	exits 1 $handler suggest lo
	exits 1 $handler suggest wg0 >/dev/full
	exits 0 setpriv --reuid 65534 --clear-groups --inh-caps=-all $handler suggest wg0 >/dev/null
}
