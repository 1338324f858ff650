#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# steer = source-route: many tunnels share a table and a rule, and each one's packets take its link.

# shellcheck source=steer.bash
. "$BATS_TEST_DIRNAME/steer.bash"

@test "the first makes the shared rule, the last takes it away, and packets take each its own link" {
	handler_off
	tunnel 0
	tunnel 1
	way 0 net0
	way 1 net0
	$handler apply sixxs0
	rules | has "$shared"
	alone 1
	way 0 sixxs0
	answered 6 -I 2a02:0::1
	way 1 net0
	$handler apply sixxs1
	alone 1
	way 0 sixxs0
	way 1 sixxs1
	leaves net0 ping_far 6
	leaves net0 ping_far 6 -I 2001::1
	leaves net0 ping_far 4
	exits 0 "$handler" status
	exits 0 "$handler" check
	$handler remove sixxs0
	rules | has "$shared"
	way 0 net0
	way 1 sixxs1
	$handler remove sixxs1
	alone 0
	[ -z "$(ours 400)" ]
	way 1 net0
	untroubled
}

@test "the shared table's name is whoever's names it, and stays beside those who name none" {
	handler_off
	tunnel 0
	tunnel 1
	for n in 0 1; do
		sed -i '/^name/d' /etc/sixxs-route/conf.d/sixxs*.conf
		echo 'name = many' >>/etc/sixxs-route/conf.d/sixxs$n.conf
		exits 0 "$handler" check >/tmp/out
		[ ! -s /tmp/out ] || grep -v watcher /tmp/out | lacks .
		$handler apply --all
		$handler apply sixxs$((1 - n))
		ip -6 rule | squeeze | grep 'from all lookup many '
		exits 0 "$handler" status
		$handler remove sixxs0 sixxs1
		assert_same '' "$(cat /run/sixxs-route/rt_tables)"
	done
	echo 'name = many' >>/etc/sixxs-route/conf.d/sixxs0.conf
	exits 0 "$handler" check >/tmp/out
	[ "$(grep -c 'name many' /tmp/out)" -eq 0 ]
}

@test "by events: a link that goes takes its routes alone" {
	tunnel 0
	tunnel 1
	way 0 sixxs0
	way 1 sixxs1
	ip link del sixxs1
	settle
	rules | has "$shared"
	way 0 sixxs0
	ours 400 | grep -c . | grep -x 2
	tunnel 1
	way 1 sixxs1
	ip link del sixxs0
	settle
	way 1 sixxs1
	ip link del sixxs1
	settle
	alone 0
}

@test "conversion while the tunnels are up, there and back" {
	tunnel 0
	tunnel 1
	local n
	for n in 0 1; do
		printf '[sixxs%d]\nsource = 2a02:%d::/64, 2a02:10%d::1\ntable = 50%d\nprefer_main = no\n' $n $n $n $n | drop_in sixxs$n
		$handler apply sixxs$n
		way $n sixxs$n
	done
	way 0 sixxs0
	alone 4
	[ -z "$(ours 400)" ]
	for n in 1 0; do
		printf '[sixxs%d]\nsource = 2a02:%d::/64, 2a02:10%d::1\nsteer = source-route\ntable = 400\n' $n $n $n | drop_in sixxs$n
		$handler apply sixxs$n
		way $n sixxs$n
	done
	way 1 sixxs1
	alone 1
	[ -z "$(ours 500)$(ours 501)" ]
	# another priority is another shared rule
	sed -i '/^table/apriority = 16000' /etc/sixxs-route/conf.d/sixxs0.conf
	$handler apply sixxs0
	alone 2
	way 0 sixxs0
	way 1 sixxs1
	sed -i '/^table/apriority = 16000' /etc/sixxs-route/conf.d/sixxs1.conf
	$handler apply sixxs1
	alone 1
	way 0 sixxs0
	way 1 sixxs1
	exits 0 "$handler" status
	untroubled
}

@test "gateway, metric and mtu, of one tunnel alone, set and changed while both are up" {
	tunnel 0
	tunnel 1
	ip neigh flush all
	way 0 sixxs0
	ip -6 neigh show to $far6 dev sixxs0 | grep lladdr
	keys() { # KEY...: of sixxs0; what its routes have beside their source, its neighbour's as ever
		local neighbour
		neighbour=$(ours 400 | grep sixxs1)
		sed -i '3q' /etc/sixxs-route/conf.d/sixxs0.conf
		printf '%s\n' 'table = 400' "$@" >>/etc/sixxs-route/conf.d/sixxs0.conf
		$handler apply sixxs0
		ip neigh flush all
		assert_same "$neighbour" "$(ours 400 | grep sixxs1)"
		way 0 sixxs0
		answered 6 -I 2a02:0::1
		exits 0 "$handler" status sixxs0
	}
	keys 'gateway = fe80::fe' 'metric = 7' 'mtu = 1300'
	have 'via fe80::fe dev sixxs0 proto sixxs metric 7 onlink mtu 1300 pref medium'
	# the far host was not looked for on the link, its router was
	ip -6 neigh show to fe80::fe dev sixxs0 | grep lladdr
	[ -z "$(ip -6 neigh show to $far6 dev sixxs0)" ]
	answered 6 -I 2a02:0::1 -s 1252 -M "do"
	run ping_far 6 -I 2a02:0::1 -s 1253 -M "do"
	grep -i 'message too long' <<<"$output"
	answered 6 -I 2a02:1::1 -s 1253 -M "do"
	keys 'mtu = 1400'
	have 'dev sixxs0 proto sixxs metric 2048 mtu 1400 pref medium'
	answered 6 -I 2a02:0::1 -s 1352 -M "do"
	run ping_far 6 -I 2a02:0::1 -s 1353 -M "do"
	grep -i 'message too long' <<<"$output"
	keys 'gateway = none' 'metric = 9'
	have 'dev sixxs0 proto sixxs metric 9 pref medium'
	answered 6 -I 2a02:0::1 -s 1452 -M "do"
	# as main's default by that link is, and becomes
	ip -6 route add default via fe80::fe dev sixxs0 metric 4096
	keys 'gateway = auto'
	have 'via fe80::fe dev sixxs0 proto sixxs metric 2048 onlink pref medium'
	watch_start
	ip -6 route replace default via 2a02::fe dev sixxs0 metric 4096
	wait_until 5 have 'via 2a02::fe dev sixxs0 proto sixxs metric 2048 onlink pref medium'
	way 0 sixxs0
	way 1 sixxs1
	alone 1
	untroubled
}

have() { # REST: both of sixxs0's sources have this default
	assert_same "default from 2a02::/64 $1
default from 2a02:100::1 $1" "$(ours 400 | grep sixxs0)"
}

@test "when_down = unreachable: refused by each tunnel's own sources, not by its neighbour's" {
	sed -i '/^table/awhen_down = unreachable' /etc/sixxs-route/conf.d/sixxs0.conf
	tunnel 0
	tunnel 1
	address6 2a02:100::7/128 lo
	sed -i 's/2a02:100::1/2a02:100::7/' /etc/sixxs-route/conf.d/sixxs0.conf
	$handler apply sixxs0
	leaves sixxs0 ping_far 6 -I 2a02:100::7
	ip link set sixxs0 down
	leaves none ping_far 6 -I 2a02:100::7
	way 1 sixxs1
	leaves net0 ping_far 6
}

@test "when_gone = unreachable, and addresses of auto that come and go" {
	sed -i '/^table/awhen_gone = unreachable' /etc/sixxs-route/conf.d/sixxs0.conf
	drop_in sixxs1 <<<$'[sixxs1]\nsource = auto\nsteer = source-route\ntable = 400'
	tunnel 0
	tunnel 1
	watch_start
	address6 2a02:100::7/128 sixxs1
	wait_until 5 auto_has 2a02:100::7
	ip address del 2a02:100::7/128 dev sixxs1
	wait_until 5 auto_lacks 2a02:100::7
	ip link del sixxs0
	settle
	assert_same $'unreachable default from 2a02::/64\nunreachable default from 2a02:100::1' \
		"$(ours 400 | sed -n 's/^\(unreachable .*\) dev lo .*/\1/p')"
	$handler remove sixxs1
	rules | has "$shared"
	$handler remove sixxs0
	alone 0
	[ -z "$(ours 400)" ]
}

auto_has() { ours 400 | grep -q "^default from $1 dev sixxs1 "; }
auto_lacks() { ! auto_has "$1"; }

@test "the watcher: down and up, a route and the shared rule that somebody deletes" {
	tunnel 0
	tunnel 1
	watch_start
	address6 2a02:0::9/128 lo
	ip link set sixxs0 down
	leaves net0 ping_far 6 -I 2a02:0::9
	ip link set sixxs0 up
	wait_until 5 routed 0
	leaves sixxs0 ping_far 6 -I 2a02:0::9
	ip -6 route del default from 2a02:1::/64 dev sixxs1 table 400
	wait_until 5 routed 1
	ip -6 rule del priority 16383
	wait_until 5 alone 1
	rules | has "$shared"
	leaves sixxs0 ping_far 6 -I 2a02:0::9
	way 1 sixxs1
}

@test "status: which source's route is missing, in the table and as JSON" {
	sed -i '/^table/awhen_down = unreachable' /etc/sixxs-route/conf.d/sixxs0.conf
	tunnel 0
	settle
	ip -6 route del default from 2a02::/64 dev sixxs0 table 400
	exits 1 "$handler" status >/tmp/out
	squeeze </tmp/out >/tmp/words
	grep -x ' *IPv6 default from 2a02::/64 dev sixxs0 metric 2048 missing' /tmp/words
	grep -x ' *IPv6 default from 2a02:100::1 dev sixxs0 metric 2048 ok' /tmp/words
	grep 'unreachable default from 2a02::/64 metric ok' /tmp/words
	exits 1 "$handler" status --json | json_routes >/tmp/words
	assert_same $'fallback 2a02:100::1 ok\nfallback 2a02::/64 ok\nroute 2a02:100::1 ok\nroute 2a02::/64 missing' "$(sort /tmp/words)"
}

json_routes() { jq -r '.tunnels[].routes[] | "\(.kind) \(.source) \(.state)"'; }

@test "conflicts: one table by both kinds, IPv4, prefer_main, another selector: errors, and nothing changes" {
	tunnel 0
	tunnel 1
	local before
	before=$(kernel)
	refused() { # PATTERN <DROP-IN
		drop_in sixxs1
		run $handler check
		[ $status -eq 1 ] && grep -E "sixxs1.conf:[0-9]+: .*$1" <<<"$output" || { echo "$output" >&2 && return 1; }
		exits 1 "$handler" apply sixxs1
		assert_same "$before" "$(kernel)"
		exits 1 "$handler" apply --all
		assert_same "$before" "$(kernel)"
		udevadm trigger --action=add /sys/class/net/sixxs1
		settle
		assert_same "$before" "$(kernel)"
	}
	refused 'table' <<<$'[sixxs1]\nsource = 2a02:1::/64\ntable = 400'
	refused 'IPv4 has no source-specific routes' <<<$'[sixxs1]\nsource = 2a02:1::/64, 192.0.2.77\nsteer = source-route\ntable = 400'
	# and the other way round
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02:0::/64, 2a02:100::1\ntable = 401'
	exits 1 "$handler" apply --all
	before=$(kernel)
	refused 'table' <<<$'[sixxs1]\nsource = 2a02:1::/64\nsteer = source-route\ntable = 401'
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02:0::/64, 2a02:100::1\nsteer = source-route\ntable = 400'
	$handler apply sixxs0
	before=$(kernel)
	refused 'prefer_main' <<<$'[sixxs1]\nsource = 2a02:1::/64\nsteer = source-route\nprefer_main = yes\ntable = 400'
	refused 'fwmark' <<<$'[sixxs1]\nsource = 2a02:1::/64\nfwmark = 1\nsteer = source-route\ntable = 400'
	# a source has one route in the table, whatever the priorities are
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02:0::/64\nsteer = source-route\npriority = 16390\ntable = 400'
	exits 1 "$handler" check | grep -E 'sixxs1.conf:2: error: source 2a02::/64 belongs to \[sixxs0\] already, in line 1 of .*sixxs0.conf, in the same table, where a source has one route: delete it in one of them$'
	# auto: the link's IPv4 addresses are not its
	drop_in sixxs1 <<<$'[sixxs1]\nsource = auto\nsteer = source-route\ntable = 400'
	$handler apply sixxs1
	[ "$(rules4 | grep -c 'proto sixxs')" -eq 0 ]
	[ -z "$(routes4 400 2>/dev/null)" ]
	way 1 sixxs1
	leaves net0 ping_far 4 -I 10.1.0.1
}

@test "who lost its record has no share: the last who has one takes the rule away, others may use the table" {
	tunnel 0
	tunnel 1
	settle
	alone 1
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02:1::/64\ntable = 501'
	echo damaged >/run/sixxs-route/sixxs1.record
	handler_off
	$handler apply --all
	[ ! -e '/run/sixxs-route/owners/table 400/sixxs1' ]
	# as if it had not been swept
	ln -s sixxs1 '/run/sixxs-route/owners/table 400/sixxs1'
	$handler remove sixxs0
	rules | lacks "$shared"
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02:0::/64\ntable = 400'
	exits 0 "$handler" apply sixxs0
	assert_same sixxs0 "$(readlink '/run/sixxs-route/owners/table 400')"
	exits 0 "$handler" status
	$handler remove sixxs0 sixxs1
	rm /etc/sixxs-route/conf.d/sixxs?.conf
	exits 0 "$handler" apply --all # what was left of sixxs1's shares
}

@test "sources within another's in the shared table: each is asked about from where it is its own" {
	handler_off
	tunnel 0
	tunnel 1
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::/32\nsteer = source-route\ntable = 400'
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02::/48, 2a02:0:1::/49\nsteer = source-route\ntable = 400'
	$handler apply --all
	exits 0 "$handler" status >/tmp/status
	squeeze </tmp/status | grep -qE '^ ?from 2a02::/32 rule 16383: leaves by sixxs0 ok$'
	# nothing is left to it
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02::/33, 2a02:0:8000::/33\nsteer = source-route\ntable = 400'
	$handler apply --all
	exits 1 "$handler" status >/tmp/status
	squeeze </tmp/status | grep -F 'from 2a02::/32 rule 16383: leaves by sixxs1 (table 400): astray'
}

way_ok() { exits 0 "$handler" status >/tmp/status && squeeze </tmp/status | grep -qE "^ ?from 2a02::/32 rules? [0-9, ]*: leaves by sixxs0 ok\$"; }

@test "sources within another's, in tables that come before its: each is asked about from where it is its own" {
	local how other
	handler_off
	tunnel 0
	tunnel 1
	for how in 'steer = source-route' 'prefer_main = no'; do
		drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::/32\ntable = 400\n'"$how"
		for other in 'steer = source-route' 'prefer_main = yes'; do
			drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02::/48, 2a02:0:1::/49\npriority = 16380\nwhen_down = unreachable\ntable = 401\n'"$other"
			$handler apply --all
			way_ok
			# which are refused then
			ip link set sixxs1 down
			$handler apply sixxs1
			way_ok
			ip link set sixxs1 up
		done
	done
}

@test "a route of others for a tunnel's source, in a table that others share and that comes first" {
	handler_off
	tunnel 0
	tunnel 1
	drop_in sixxs0 <<<$'[sixxs0]\nsource = 2a02::/64\nsteer = source-route\ntable = 400'
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02:1::/64\nsteer = source-route\ntable = 401\npriority = 16380'
	$handler apply --all
	exits 0 "$handler" status >/tmp/status
	ip -6 route add default from 2a02::/64 dev net0 table 401
	exits 1 "$handler" status >/tmp/status
	squeeze </tmp/status | grep -F 'from 2a02::/64 rule 16383: leaves by net0 (table 401): astray'
	ip -6 route del default from 2a02::/64 dev net0 table 401
	# a backup's primary is no such one
	drop_in sixxs1 <<<$'[sixxs1]\nsource = 2a02::/64\nsteer = source-route\ntable = 401\npriority = 16380'
	$handler apply --all
	exits 0 "$handler" status >/tmp/status
	grep -F 'backup of the section with priority 16380' /tmp/status
}
