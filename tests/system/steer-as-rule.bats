#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# steer = source-route: every other key means what it means with steer = rule, and so does every event.

# shellcheck source=steer.bash
. "$BATS_TEST_DIRNAME/steer.bash"

unrouted() { ! routed "$@"; }

# addresses N...: one of each one's, which stays whatever becomes of the link; answered by way of its own
addresses() {
	local n
	for n; do
		address6 "2a02:$n::9/128" lo &&
			ip -n pop route add "2a02:$n::9/128" via "2a02:$n::1" dev "far$n" || return
	done
}

# by N LINK: from that address
by() { leaves "$2" ping_far 6 -I "2a02:$1::9"; }

both_ways() { way 0 sixxs0 && way 1 sixxs1; }

# both: each tunnel as it should be
both() { by 0 sixxs0 && by 1 sixxs1 && [ "$(ours 400 | grep -c '^default')" -eq 4 ]; }

# set_line N LINE...: these of the drop-in's
set_line() {
	local line
	for line in "${@:2}"; do
		sed -i "/^${line%%=*}=/d" "/etc/sixxs-route/conf.d/sixxs$1.conf"
		printf '%s\n' "$line" >>"/etc/sixxs-route/conf.d/sixxs$1.conf"
	done
}

refusals() { ours 400 | sed -n 's/^unreachable default from \([^ ]*\) .*/\1/p'; }

@test "carrier = needed: a link without counts as down, with when_down = unreachable and without" {
	steered 0 'carrier = needed'
	steered 2 'carrier = needed' 'when_down = unreachable' 'wait = 0'
	tunnel 0
	tunnel 1
	tunnel_add sixxs2 # without a program
	tunnel_up sixxs2
	settle
	addresses 0 1
	address6 2a02:2::9/128 lo
	both
	by 2 none
	watch_start
	ip -n pop link set far0 down
	wait_until 5 unrouted 0
	by 0 net0
	by 1 sixxs1
	exits 0 "$handler" status
	ip -n pop link set far0 up
	wait_until 5 routed 0
	set_line 0 'when_down = unreachable'
	$handler apply sixxs0
	both
	ip -n pop link set far0 down
	wait_until 5 unrouted 0
	by 0 none
	by 1 sixxs1
	ip -n pop link set far0 up
	wait_until 5 routed 0
	both
	alone 1
}

@test "renamed out of its name and back, and two that swap names" {
	tunnel 0
	tunnel 1
	addresses 0 1
	tunnel_rename sixxs0 other0
	settle
	by 0 net0
	by 1 sixxs1
	[ "$(ours 400 | wc -l)" -eq 2 ]
	rules | has "$shared"
	tunnel_rename other0 sixxs0
	settle
	both
	tunnel_rename sixxs0 other0
	tunnel_rename sixxs1 sixxs0
	tunnel_rename other0 sixxs1
	settle
	both
	alone 1
	tunnel_rename sixxs0 other0
	tunnel_rename sixxs1 other1
	settle
	alone 0
	[ -z "$(ours 400)" ]
	untroubled
}

@test "a drop-in is deleted while its tunnel is up; one that cannot be read takes nothing away" {
	steered 2 'when_gone = unreachable'
	tunnel 0
	tunnel 1
	tunnel 2
	addresses 0 1 2
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	replay sixxs0
	by 0 net0
	by 1 sixxs1
	[ "$(ours 400 | grep -cw sixxs0)" -eq 0 ]
	rules | has "$shared"
	unread() {
		local before
		before=$(kernel)
		exits 1 "$handler" apply sixxs1
		exits 1 "$handler" apply --all
		replay sixxs1
		assert_same "$before" "$(kernel)"
		by 1 sixxs1
	}
	chmod 666 /etc/sixxs-route/conf.d/sixxs1.conf
	unread
	chmod 644 /etc/sixxs-route/conf.d/sixxs1.conf
	echo '[sixxs1' >>/etc/sixxs-route/conf.d/sixxs1.conf
	unread
	# a link goes meanwhile
	chmod 666 /etc/sixxs-route/conf.d/sixxs2.conf
	ip link del sixxs2
	settle
	by 2 none
	rm /etc/sixxs-route/conf.d/sixxs[12].conf
	exits 0 "$handler" apply sixxs1
	by 1 net0
	by 2 none
	alone 1
	exits 0 "$handler" apply --all
	alone 0
	[ -z "$(ours 400)" ]
	by 2 net0
}

@test "another shared table while both are up, and the same as one's own" {
	tunnel 0
	tunnel 1
	set_line 0 'table = 401'
	$handler apply sixxs0
	both_ways
	alone 2
	[ "$(ours 400 | wc -l)" -eq 2 ]
	set_line 1 'table = 401'
	replay sixxs1
	both_ways
	rules | has "${shared/400/401}"
	alone 1
	[ -z "$(ours 400)" ]
	# who is the last may have it alone, and share it again
	exits 0 "$handler" remove sixxs1
	set_line 0 'steer = rule' 'prefer_main = no'
	exits 0 "$handler" apply sixxs0
	way 0 sixxs0
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(ours 401)"
	alone 2
	exits 1 "$handler" apply sixxs1
	sed -i 's/= rule/= source-route/' /etc/sixxs-route/conf.d/sixxs0.conf
	exits 0 "$handler" apply sixxs0
	exits 0 "$handler" apply sixxs1
	both_ways
	alone 1
	# back together
	set_line 0 'table = 400'
	set_line 1 'table = 400'
	exits 0 "$handler" apply --all
	rules | has "$shared"
	alone 1
	both_ways
	[ -z "$(ours 401)" ]
}

as_before() { assert_same "$1" "$(kernel)" 2>/dev/null; }

@test "the watcher: what refuses is back, each of its own tunnel's, whose link is up, down or gone" {
	local n
	for n in 0 1; do
		set_line $n 'when_gone = unreachable'
		tunnel $n
	done
	addresses 0 1
	watch_start
	deleted() { # N...: of each of these in turn
		local n before
		before=$(kernel)
		for n; do
			ip -6 route del unreachable default from "2a02:$n::/64" table 400 metric 4294967295
			wait_until 5 as_before "$before"
		done
	}
	deleted 0 1
	ip link set sixxs1 down
	wait_until 5 unrouted 1
	deleted 1 0
	by 1 none
	by 0 sixxs0
	ip link del sixxs0
	settle
	deleted 0 1
	by 0 none
	rm /etc/sixxs-route/conf.d/sixxs0.conf
	$handler apply sixxs0
	deleted 1
	by 0 net0
	rm /etc/sixxs-route/conf.d/sixxs1.conf
}

@test "several sections of one interface: in two shared tables, in one, and beside one by rule" {
	tunnel 0
	tunnel 1
	addresses 0
	sections() { # LINE...: the second section's
		{
			printf '%s\n' '[sixxs0]' 'source = 2a02::/64' 'steer = source-route' 'table = 400'
			printf '%s\n' '[b]' 'interface = sixxs0' 'source = 2a02:100::1' "$@"
		} | drop_in sixxs0
		exits 0 "$handler" check
		exits 0 "$handler" apply sixxs0
		both_ways
		exits 0 "$handler" status
	}
	sections 'table = 401' 'steer = source-route' 'metric = 7'
	alone 2
	assert_same 'default from 2a02:100::1 dev sixxs0 proto sixxs metric 7 pref medium' "$(ours 401)"
	[ "$(ours 400 | wc -l)" -eq 3 ]
	sections 'table = 501' 'prefer_main = no'
	alone 2
	[ -z "$(ours 401)" ]
	assert_same 'default dev sixxs0 proto sixxs metric 2048 pref medium' "$(ours 501)"
	sections 'table = 400' 'steer = source-route' 'metric = 7' 'when_down = unreachable'
	alone 1
	[ -z "$(ours 501)" ]
	[ "$(ours 400 | grep -c 'dev sixxs0 .* metric 7 ')" -eq 1 ]
	assert_same 2a02:100::1 "$(refusals)"
	ip address del 2a02:100::1/128 dev sixxs0
	address6 2a02:100::1/128 lo
	ip link set sixxs0 down
	leaves none ping_far 6 -I 2a02:100::1
	by 0 net0
	way 1 sixxs1
	ip address del 2a02:100::1/128 dev lo
	$handler remove sixxs0
	alone 1
	[ "$(ours 400 | wc -l)" -eq 2 ]
}

@test "held and released, also all of them; removed, all at once" {
	set_line 0 'when_down = unreachable'
	tunnel 0
	tunnel 1
	$handler hold sixxs0
	way 0 none
	way 1 sixxs1
	$handler hold sixxs1
	replay sixxs0 sixxs1
	leaves none ping_far 6 -I 2a02::1
	way 1 net0
	rules | has "$shared"
	exits 0 "$handler" status
	$handler release sixxs1
	leaves none ping_far 6 -I 2a02::1
	way 1 sixxs1
	$handler release sixxs0
	way 0 sixxs0
	alone 1
	$handler remove sixxs0 sixxs1
	alone 0
	[ -z "$(ours 400)" ]
	untroubled
}

@test "apply --all: what bears our mark in a shared table and is nobody's is swept, and others' is not" {
	local theirs='2001:db8:77::/48 dev net0 proto static metric 1024 pref medium' before
	tunnel 0
	tunnel 1
	before=$(kernel)
	ip -6 route add default from 2a02:77::/64 dev sixxs0 table 400 protocol 166
	ip -6 route add default from 2a02:78::/64 dev net0 table 400 protocol 166 metric 2048
	ip -6 route add unreachable default from 2a02:79::/64 table 400 protocol 166 metric 4294967295
	ip -6 rule add priority 16000 lookup 400 suppress_ifgroup 2147483646 protocol 166
	exits 0 "$handler" apply --all
	assert_same "$before" "$(kernel)"
	ip -6 route add default from 2a02:77::/64 dev sixxs0 table 400 protocol static
	ip -6 route add 2001:db8:77::/48 dev net0 table 400 protocol static
	ip -6 rule add priority 16000 lookup 400 suppress_ifgroup 2147483646 protocol static
	before=$(kernel)
	exits 0 "$handler" apply --all
	assert_same "$before" "$(kernel)"
	both_ways
	$handler remove sixxs0 sixxs1
	assert_same "default from 2a02:77::/64 dev sixxs0 proto static metric 1024 pref medium"$'\n'"$theirs" "$(ours 400)"
	ip -6 rule del priority 16000
	ip -6 route del "${theirs%% *}" table 400
	alone 0
}

@test "64 sources, others in their place, and prefixes of addresses" {
	local before
	many() { # N: 2a02:N::/48 to 2a02:N:3f::/48
		local i list=
		for ((i = 0; i < 64; i++)); do
			printf -v list '%s 2a02:%s:%x::/48' "$list" "$1" $i
		done
		set_line 0 "source =$list"
	}
	set_line 0 'when_down = unreachable'
	many 0
	tunnel 0
	tunnel 1
	addresses 0
	address6 2a02:2:3f::9/128 lo
	before=$(ours 400 | grep -w sixxs1)
	ours 400 | grep -c ' from .*/48 dev sixxs0 ' | grep -x 64
	refusals | grep -c . | grep -x 64
	by 0 sixxs0
	many 2
	replay sixxs0
	ours 400 | grep -c ' from 2a02:2:.*/48 dev sixxs0 ' | grep -x 64
	ours 400 | grep -c . | grep -x 130
	assert_same "$before" "$(ours 400 | grep -w sixxs1)"
	leaves sixxs0 ping_far 6 -I 2a02:2:3f::9
	by 0 net0
	ip link set sixxs0 down
	leaves none ping_far 6 -I 2a02:2:3f::9
	ip address del 2a02:2:3f::9/128 dev lo
	way 1 sixxs1
	# the prefixes of the link's addresses, as these come and go
	ip link set sixxs0 up
	set_line 0 'source = auto/prefix'
	prefixes() { # PREFIX...
		$handler apply sixxs0
		assert_same "$*" "$(ours 400 | sed -n 's/^default from \(.*\) dev sixxs0 .*/\1/p' | paste -sd' ')"
		assert_same "$*" "$(refusals | grep -v 2a02:1 | paste -sd' ')"
	}
	address6 2a02::1/64 sixxs0
	address6 2a02:2::1/56 sixxs0
	prefixes 2a02::/64 2a02:2::/56
	by 0 sixxs0
	ip address del 2a02::1/64 dev sixxs0
	prefixes 2a02:2::/56
	by 0 net0
	way 1 sixxs1
}
