#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# fwmark: packets that nftables has marked take the section's way; the recipes for it.

# shellcheck source=packets.bash
. "$BATS_TEST_DIRNAME/packets.bash"

setup_file() { setup_router; }

teardown() {
	nft flush ruleset
	sysctl -qw net.ipv4.conf.{all,default,net0}.rp_filter=0 net.ipv4.conf.all.src_valid_mark=0
	packets_end hosts_gone box
}

# A container: its own network namespace behind a bridge, whose port 80 answers.
container() { # [BRIDGE]
	host_behind "${1-br-box}" box boxport 172.17.0 16 fd17
	ip netns exec box socat TCP6-LISTEN:80,fork,reuseaddr SYSTEM:'echo hello' >/dev/null 2>&1 3>&- &
	server=$!
	wait_until 10 container_listens
}

container_listens() { ip netns exec box ss -Hltn | grep -q ':80 '; }

asks() { # 4|6: the far host asks the published port, and is answered
	local to=10.1.0.1 from=$far4
	[ "$1" = 4 ] || { to='[2a02:1::1]' && from="[$far6]"; }
	[ "$(in_pop timeout "${patience-$((2 * SLOW))}" socat -u "TCP$1:$to:8080,bind=$from" - 2>/dev/null)" = hello ]
}

both() { "$@" 4 && "$@" 6; }

# neither COMMAND...: both fail, which they may take their time for, at the same time
neither() {
	local pid
	"$@" 4 &
	pid=$!
	exits 1 "$@" 6 && exits 1 wait $pid
}

@test "a published port of a container: the recipe, and what it does without the section" {
	container
	recipe 'A published port of a container'
	sample marked wg0
	exits 0 "$handler" check
	mv /etc/sixxs-route/conf.d/wg0.conf /tmp
	uplink wg0 1
	leaves net0 asks 4
	leaves net0 asks 6
	neither asks
	mv /tmp/wg0.conf /etc/sixxs-route/conf.d
	$handler apply wg0
	ip -4 rule | squeeze | has '16383: from all fwmark 0x1/0xff lookup published proto sixxs'
	leaves wg0 asks 4
	leaves wg0 asks 6
	both asks
	exits 0 "$handler" status wg0
	# other bits of the mark are others'
	nft 'add chain inet published other { type filter hook prerouting priority -160; }'
	nft 'add rule inet published other meta mark set 0xab00'
	both asks
	nft 'flush chain inet published other'
	nft 'add rule inet published other meta mark set 0xab02'
	both asks
	untroubled
}

@test "a published port: without prefer_main the request itself leaves by the tunnel again" {
	container
	recipe 'A published port of a container'
	uplink wg0 1
	$handler apply wg0
	both asks
	printf '[wg0]\nfwmark = 0x1/0xff\ntable = 302\nprefer_main = no\n' | drop_in wg0
	$handler apply wg0
	ip neigh add 172.17.0.2 dev wg0 lladdr 02:00:00:00:00:01
	ip neigh add fd17::2 dev wg0 lladdr 02:00:00:00:00:01
	capture wg0 -Q out 'tcp dst port 80'
	neither asks
	captured wg0 >/tmp/again
	grep '^IP .* > 172.17.0.2.80: ' /tmp/again
	grep '^IP6 .* > fd17::2.80: ' /tmp/again
}

@test "a published port and rp_filter: as the recipe says" {
	container
	recipe 'A published port of a container'
	uplink wg0 1
	$handler apply wg0
	local value
	for value in 0 2; do
		sysctl -qw net.ipv4.conf.all.rp_filter=$value
		both asks
	done
	sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.wg0.rp_filter=1
	exits 1 asks 4
	asks 6
	sysctl -qw net.ipv4.conf.all.src_valid_mark=1
	both asks
	# the container's packets alone: never with 1, but with 2
	nft flush chain inet published marks
	nft 'add rule inet published marks iifname "wg0" ct state new ct mark set ct mark and 0xffffff00 or 0x1'
	nft 'add rule inet published marks iifname "br-box" ct mark and 0xff == 0x1 meta mark set meta mark and 0xffffff00 or 0x1'
	exits 1 asks 4
	asks 6
	sysctl -qw net.ipv4.conf.wg0.rp_filter=2
	both asks
}

@test "a mark by the program itself, with a mask and without" {
	uplink wg0 1
	printf '[wg0]\nfwmark = 0x100/0xf00\ntable = 302\n' | drop_in wg0
	$handler apply wg0
	for family in 4 6; do
		leaves net0 ping_far $family
		leaves net0 ping_far $family -m 512
		leaves wg0 ping_far $family -m 256
		leaves wg0 ping_far $family -m $((0x7101))
		# more specific routes of main win
		ping "-$family" -c 1 -W "$SLOW" -m 256 "$([ $family = 4 ] && echo 192.0.2.2 || echo 2001::2)"
	done
	printf '[wg0]\nfwmark = 256\ntable = 302\n' | drop_in wg0
	$handler apply wg0
	for family in 4 6; do
		leaves wg0 ping_far $family -m 256
		leaves net0 ping_far $family -m $((0x7101))
	done
	$handler remove wg0
	leaves net0 ping_far 4 -m 256
	leaves net0 ping_far 6 -m 256
}

# sources 4|6: a datagram of the host itself to the far host: "LINK SOURCE", each once
sources() {
	local to=far$1 from
	noted
	from=$(wc -l <"$packets")
	echo x | socat -u - "UDP$1-DATAGRAM:[${!to}]:9"
	noted
	tail -n +$((from + 1)) "$packets" | sent | grep UDP | awk '{ sub(/[.][0-9]+$/, "", $4); print $1, $4 }' | sort -u
}

@test "a mark that nftables sets on the host's own packets comes too late for their source: masquerade" {
	uplink wg0 1
	printf '[wg0]\nfwmark = 256\ntable = 302\n' | drop_in wg0
	$handler apply wg0
	assert_same 'net0 192.0.2.1' "$(sources 4)"
	assert_same 'net0 2001::1' "$(sources 6)"
	nft 'add table inet late; add chain inet late marks { type route hook output priority mangle; }
		add rule inet late marks udp dport 9 meta mark set 256'
	assert_same 'wg0 192.0.2.1' "$(sources 4)"
	assert_same 'wg0 2001::1' "$(sources 6)"
	nft 'add chain inet late hides { type nat hook postrouting priority srcnat; }
		add rule inet late hides oifname wg0 masquerade'
	assert_same 'wg0 10.1.0.1' "$(sources 4)"
	assert_same 'wg0 2a02:1::1' "$(sources 6)"
}

# shared 4|6: connections of the LAN to the far host, of which each is answered; prints which links
# they left by, each once, in order
shared() {
	local to=far$1 from
	noted
	from=$(wc -l <"$packets")
	for _ in 1 2 3 4 5 6 7 8; do
		ip netns exec box timeout $((2 * SLOW)) socat -u "TCP$1:[${!to}]:81" - || true
	done 2>/dev/null | grep -cx hello >/tmp/shared
	noted
	tail -n +$((from + 1)) "$packets" | sent | grep ' Flags \[S\]' | awk '{ print $1 }' | paste -sd' '
}

@test "share the load of two uplinks: the recipe" {
	uplink eth2 1
	uplink eth3 2
	for n in 1 2; do
		ip route add default via 10.$n.0.254 dev eth$((n + 1)) metric 1000$n
		ip -6 route add default via fe80::fe dev eth$((n + 1)) metric 1000$n
	done
	container br-lan
	recipe 'Share the load of two uplinks'
	sample share eth2 eth3
	exits 0 "$handler" check
	in_pop socat TCP6-LISTEN:81,fork,reuseaddr SYSTEM:'echo hello' >/dev/null 2>&1 3>&- &
	local pids=$! family
	for family in 4 6; do
		[ "$(shared $family)" = 'net0 net0 net0 net0 net0 net0 net0 net0' ]
	done
	$handler apply --all
	for family in 4 6; do
		[[ $(shared $family) =~ ^(eth3 )?eth2\ eth3\ eth2\ eth3\ eth2\ eth3\ eth2(\ eth3)?$ ]]
		[ "$(cat /tmp/shared)" -eq 8 ]
	done
	# the host itself, and what nothing has marked
	leaves net0 ping_far 4
	leaves net0 ping_far 6
	ip link set eth3 down
	for family in 4 6; do
		[[ $(shared $family) =~ ^(net0 )?eth2\ net0\ eth2\ net0\ eth2\ net0\ eth2(\ net0)?$ ]]
		[ "$(cat /tmp/shared)" -eq 4 ]
	done
	kill $pids
}
